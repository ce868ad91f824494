"""The picture: a headline and four panels, in a window or a file."""
