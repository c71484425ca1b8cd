"""The project itself: settings, URLs, the worker, and what starts it all on one machine."""
