"""The report's figures as inline SVG and PNG, readable on a light and on a dark page.

Text and axes are drawn in `currentColor`, so they follow the page's theme; data colours are
Okabe and Ito's, which colour-blind people can tell apart, and shapes differ beside colours.
"""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from demo.evidence import VersionEvidence

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
_GAP_PX = 2
INK = "#123456"
"""Stands for currentColor until the SVG is written; no figure uses it otherwise."""
ROLE_STYLE = {
    "base": (BLUE, "o"),
    "previous": (BLUE, "s"),
    "champion": (GREEN, "D"),
    "canary": (ORANGE, "^"),
    "rejected": (VERMILION, "X"),
}


def svg(draw: Callable[[Axes], None], title: str, size: tuple[float, float] = (5.2, 3.2)) -> str:
    """What `draw` draws, as the text of an SVG; the same input gives the same text. `size` is in inches."""
    style: Any = {
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "svg.hashsalt": title,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title, fontsize=11, fontweight="bold")
        draw(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=9)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :].replace(INK, "currentColor")


def success_by_version(versions: Sequence[VersionEvidence]) -> str:
    """Success without help by version, with Wilson 95 % intervals and n."""

    def draw(axes: Axes) -> None:
        for x, version in enumerate(versions):
            colour, marker = ROLE_STYLE[version.role]
            rate = version.success_rate
            axes.errorbar(
                x,
                rate,
                yerr=[[rate - version.success_low], [version.success_high - rate]],
                color=colour,
                marker=marker,
                markersize=8,
                capsize=4,
            )
            axes.annotate(
                f"n = {version.num_episodes}",
                (x, version.success_low),
                (0, -14),
                textcoords="offset points",
                ha="center",
            )
        axes.set_ylim(0, 1.04)
        _name_versions(axes, versions)

    return svg(draw, "Success without help")


def throughput_by_version(versions: Sequence[VersionEvidence]) -> str:
    """Successes per robot-hour by version; bars carry the success rate's interval."""

    def draw(axes: Axes) -> None:
        for x, version in enumerate(versions):
            value = version.throughput_per_robot_hour
            scale = value / version.success_rate if version.success_rate else 0.0
            error = [[value - version.success_low * scale], [version.success_high * scale - value]]
            axes.bar(x, value, yerr=error, color=ROLE_STYLE[version.role][0], width=0.6, capsize=4, ecolor=INK)
        _name_versions(axes, versions)

    return svg(draw, "Throughput, successes per robot-hour")


def intervention_share_by_version(versions: Sequence[VersionEvidence]) -> str:
    """Share of the working robots' steps that a person executed."""

    def draw(axes: Axes) -> None:
        worked = [version for version in versions if not np.isnan(version.intervention_share)]
        axes.bar(range(len(worked)), [100 * v.intervention_share for v in worked], color=ORANGE, width=0.6)
        axes.set_ylabel("% of steps")
        _name_versions(axes, worked)

    return svg(draw, "Steps executed by a person")


def value_calibration(values: NDArray[np.float64], returns: NDArray[np.float64]) -> str:
    """Mean realised return in ten equally filled bins of the predicted value."""

    def draw(axes: Axes) -> None:
        order = np.argsort(values)
        bins = [chunk for chunk in np.array_split(order, 10) if chunk.size]
        axes.plot([-1, 0], [-1, 0], color=INK, linewidth=0.8, linestyle=":", label="perfect")
        axes.plot(
            [values[chunk].mean() for chunk in bins],
            [returns[chunk].mean() for chunk in bins],
            color=BLUE,
            marker="o",
            label="critic, held out",
        )
        axes.set_xlabel("predicted value")
        axes.set_ylabel("realised return")

    return svg(draw, "Value calibration")


def advantage_histogram(advantages: NDArray[np.float64], positive: NDArray[np.bool_]) -> str:
    """Advantages of all labelled steps, by the indicator that the policy was given."""

    def draw(axes: Axes) -> None:
        low, high = np.quantile(advantages, [0.005, 0.995])
        bins = np.linspace(low, high, 40).tolist()
        for mask, colour, hatch, word in (
            (positive, GREEN, "//", "positive"),
            (~positive, VERMILION, "", "negative"),
        ):
            share = f"{word} {mask.mean():.0%}"
            axes.hist(
                advantages[mask],
                bins=bins,
                color=colour,
                alpha=0.7,
                hatch=hatch,
                edgecolor=colour,
                label=share,
            )
        axes.set_xlabel("advantage")
        axes.set_ylabel("steps")

    return svg(draw, "Advantages")


def data_flow(seconds: NDArray[np.float64], is_correction: NDArray[np.bool_]) -> str:
    """Steps in the lake over wall time since the first one, corrections apart."""

    def draw(axes: Axes) -> None:
        for mask, colour, line, word in (
            (~is_correction, BLUE, "-", "robots"),
            (is_correction, ORANGE, "--", "people"),
        ):
            axes.plot(
                np.sort(seconds[mask]) / 60,
                np.arange(1, mask.sum() + 1),
                color=colour,
                linestyle=line,
                label=word,
            )
        axes.set_yscale("log")
        axes.set_xlabel("minutes")
        axes.set_ylabel("steps so far")

    return svg(draw, "Data flow")


def touch_trace(
    time_s: NDArray[np.floating[Any]], felt: NDArray[np.floating[Any]], label: str, is_success: bool
) -> str:
    """What one touch channel felt in one episode."""

    def draw(axes: Axes) -> None:
        axes.plot(time_s, felt, color=GREEN if is_success else VERMILION)
        axes.set_xlabel("s")
        axes.set_ylabel(label)

    return svg(draw, "Felt", size=(14.0, 2.2))


def contact_sheet(frames: Sequence[NDArray[np.uint8]]) -> str:
    """Frames side by side, a see-through gap between them, as a `data:` address of a PNG."""
    height, width, _ = frames[0].shape
    sheet = np.zeros((height, len(frames) * (width + _GAP_PX) - _GAP_PX, 4), np.uint8)
    for number, frame in enumerate(frames):
        left = number * (width + _GAP_PX)
        sheet[:, left : left + width] = np.dstack([frame, np.full((height, width), 255, np.uint8)])
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _name_versions(axes: Axes, versions: Sequence[VersionEvidence]) -> None:
    axes.set_xticks(range(len(versions)), [f"v{v.version}\n{v.role}" for v in versions])
    axes.set_xlim(-0.6, len(versions) - 0.4)
