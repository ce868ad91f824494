"""The picture: four panels and the words above them, in a window or a file."""
