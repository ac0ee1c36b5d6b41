import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["console/static/vendor/**", "node_modules/**"] },
  js.configs.recommended,
  {
    files: ["console/static/js/**/*.js"],
    languageOptions: { ecmaVersion: 2023, sourceType: "module", globals: { ...globals.browser } },
    rules: {
      eqeqeq: ["error", "always"],
      "no-console": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_$" }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["console/static/js/core/**/*.js"],
    // The core is pure: nothing of the page, so that it runs in a worker and under node --test.
    languageOptions: { globals: { ...Object.fromEntries(Object.keys(globals.browser).map((name) => [name, "off"])), performance: "readonly", setTimeout: "readonly" } },
  },
  { files: ["tests/browser/**/*.js"], languageOptions: { ecmaVersion: 2023, sourceType: "script", globals: { ...globals.browser } } },
  { files: ["tests/browser_core/**/*.js"], languageOptions: { ecmaVersion: 2023, sourceType: "module", globals: { ...globals.node } } },
];
