"""The media process: its control wire, its conferences, its sockets."""
