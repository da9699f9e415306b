"""Style transfer of an image, of audio and of video, as stages for `nst.stages.run`."""
