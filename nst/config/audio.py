"""The fields of audio."""

from nst.config.field import RESAMPLE, RUN, Field, modality

AUDIO = {
    "modality": modality("audio"),
    "audio.content": Field("melody", "content audio: a path, a folder, or the name of a sample", "input"),
    "audio.style": Field(
        "bells",
        "style audio, in the same forms as audio.content; several with commas between them, or as a tuple; both "
        "defaults come with nst, so nothing is fetched",
        "input",
        also=tuple,
    ),
    "audio.style_weights": Field(
        (),
        "weights of several styles, of which only the ratio matters; (): all equal",
        "number",
        "not negative",
        example=(2.0, 1.0),
    ),
    "audio.method": Field("spectrogram", "what is optimized: spectrogram (magnitudes) or waveform (samples)"),
    "audio.rate": Field(22_050, "sampling rate that all audio is resampled to, Hz", check="positive"),
    "audio.n_fft": Field(
        2048, "window of the spectrogram, samples; the hop is a quarter of it", check="positive"
    ),
    "audio.filters": Field(
        2048,
        "number of random filters of each layer; the 4096 of Ulyanov and Lebedev take twice as long",
        check="positive",
    ),
    "audio.init": Field(
        "content", "initial audio: content, style, noise, a path, or a sample's name", "input"
    ),
    "audio.seed": Field(0, "seed of noise, filters and random losses", "input", "not negative"),
    "audio.phase_steps": Field(
        64, "iterations of fast Griffin-Lim, which finds phases for magnitudes", check="not negative"
    ),
    "audio.scaled": Field(
        True,
        "whether frequencies that are silent in content and style stay silent; the 2016 method has noise there",
    ),
    "loss.style_loss": Field("gram", "style loss: gram, moments, wasserstein, sliced"),
    "loss.resample": RESAMPLE,
    "loss.content_weight": Field(
        1.0,
        "α, weight of the content loss, whose gradient at the style is scaled to norm 1",
        "number",
        "not negative",
    ),
    "loss.style_weight": Field(
        1.0,
        "β, weight of the style loss, whose gradient at the content is scaled to norm 1; of several styles each has a "
        "share of β",
        "number",
        "not negative",
    ),
    "loss.envelope_weight": Field(
        0.0,
        "ε, weight of the envelope loss (the content's loudness over time), whose gradient at the style is scaled to "
        "norm 1",
        "number",
        "not negative",
    ),
    "optimizer.name": Field(
        None,
        "optimizer; unset: lbfgs for magnitudes, adam for samples, on which L-BFGS may diverge",
        follows="audio.method",
        example="lbfgs",
    ),
    "optimizer.steps": Field(100, "steps; each takes one loss and gradient", "count", "not negative"),
    "optimizer.learning_rate": Field(
        None,
        "learning rate; unset: 1 for L-BFGS, for adam 0.002 on samples and 0.02 on magnitudes",
        "number",
        "positive",
        follows="optimizer.name",
        example=0.002,
    ),
} | RUN
