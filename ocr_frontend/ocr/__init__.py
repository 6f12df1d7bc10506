"""From the bytes of a picture to lines of text."""
