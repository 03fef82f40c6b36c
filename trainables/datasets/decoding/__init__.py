"""From encoded image files to one array of pixels."""
