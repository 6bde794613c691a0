"""The emulator's HTTP server: routing, the admin API, the pages."""
