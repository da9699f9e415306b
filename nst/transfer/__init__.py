"""Style transfer of an image and of audio, as stages for `nst.stages.run`."""
