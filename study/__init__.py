"""Questions about learning, answered in lock-step without the services: `touchline study`."""
