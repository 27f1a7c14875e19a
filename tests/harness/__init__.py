"""Real peers for tests: network namespaces, markers, tones, browsers, room systems, cameras."""
