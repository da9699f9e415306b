"""The stages of style transfer: of an image, and of audio."""
