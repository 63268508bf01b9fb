"""The face: console pages, REST API, commands, demo, navigation."""
