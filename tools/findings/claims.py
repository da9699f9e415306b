"""Published claims about each ablation, as far as figures can confirm or refute them."""

from tools.findings.question import Claim, Question

_GATYS = "Gatys, Ecker and Bethge, CVPR 2016"
_FIRST, _ALL = (["relu1_1"], [f"relu{i}_1" for i in range(1, 6)])
_AVG, _MAX = ({"features.pooling": name} for name in ("avg", "max"))
_CONTENT, _STYLE, _NOISE = ({"images.init": name} for name in ("content", "style", "noise"))
_TRAINED, _RANDOM = ({"features.weights": name} for name in ("vgg19", "random"))
_DRAWN, _RESCALED = ({"features.normalise": value} for value in (False, True))
_PYRAMID, _LBFGS, _ADAM = ({"optimizer.name": name} for name in ("lbfgs_pyramid", "lbfgs", "adam"))
_LEAST, _MOST = ({"loss.style_weight": weight} for weight in (2.0, 20_000.0))
#: The baselines: the content or the style taken as the result.
_CONTENT_ITSELF, _STYLE_ITSELF = ({"result": name} for name in ("content", "style"))
_AUDIO = {
    "audio.method": "spectrogram",
    "audio.init": "content",
    "audio.filters": 512,
    "loss.content_weight": 1.0,
}
_VGG19, _RANDOM_VGG19 = (_TRAINED | {"features.network": "vgg19"}, _RANDOM | {"features.network": "vgg19"})
_VGG16, _SHALLOW = ({"features.network": name} for name in ("vgg16", "shallow"))
_GRAM, _MOMENTS, _SLICED, _REMD = (
    {"loss.style_loss": name} for name in ("gram", "moments", "sliced", "remd")
)
_ZEROS, _REFLECT, _REPLICATE = ({"features.padding": name} for name in ("zeros", "reflect", "replicate"))

QUESTIONS = (
    Question(
        "pooling",
        "Average or maximum pooling?",
        f"“Slightly more appealing results” with the average ({_GATYS}, section 2). Appeal is not measured here; an "
        "image that appeals more should at least be no further from style and content. The metrics look through a "
        "network with maximum pooling, as it was trained, which may favor it.",
        (
            Claim("style where it is not optimized", _MAX, _AVG, "style_gram_held_out", "lower"),
            Claim("style, by another distance", _MAX, _AVG, "style_sliced_held_out", "lower"),
            Claim("structure of the content", _MAX, _AVG, "cfsd", "lower"),
            Claim("roughness", _MAX, _AVG, "tv", "lower"),
        ),
        ("features.pooling",),
    ),
    Question(
        "layers",
        "Which layers?",
        f"Style matched up to higher layers is smoother and keeps larger structures ({_GATYS}, section 3.2); content "
        "matched at conv2_2 keeps the pixels, at conv4_2 what they show (figure 5).",
        (
            Claim(
                "roughness, all five layers instead of the first alone",
                {"loss.style_layers": _FIRST},
                {"loss.style_layers": _ALL, "loss.content_layers": ["relu4_2"]},
                "tv",
                "lower",
            ),
            Claim(
                "style where it is not optimized, the same",
                {"loss.style_layers": _FIRST},
                {"loss.style_layers": _ALL, "loss.content_layers": ["relu4_2"]},
                "style_gram_held_out",
                "lower",
            ),
            Claim(
                "pixels kept, with content at relu2_2 instead of relu4_2",
                {"loss.style_layers": _ALL, "loss.content_layers": ["relu4_2"]},
                {"loss.style_layers": _ALL, "loss.content_layers": ["relu2_2"]},
                "ssim",
                "higher",
            ),
        ),
        ("loss.style_layers", "loss.content_layers"),
    ),
    Question(
        "ratio",
        "How much style?",
        "A large β/α gives the painting's texture with little of the photograph, a small one the photograph "
        f"({_GATYS}, figure 4).",
        (
            Claim("style, with β 10⁴ times as large", _LEAST, _MOST, "style_gram_held_out", "lower"),
            Claim("structure lost, the same", _LEAST, _MOST, "cfsd", "higher"),
            Claim("pixels kept, the same", _LEAST, _MOST, "ssim", "lower"),
        ),
        ("loss.style_weight",),
    ),
    Question(
        "initial",
        "What to start from?",
        f"The initialization has no strong effect on the outcome ({_GATYS}, section 3.4 and figure 6).",
        (
            Claim(
                "style, from noise instead of the photograph", _CONTENT, _NOISE, "style_gram_held_out", "same"
            ),
            Claim("structure lost, from noise instead of the photograph", _CONTENT, _NOISE, "cfsd", "same"),
            Claim(
                "structure lost, from the painting instead of the photograph",
                _CONTENT,
                _STYLE,
                "cfsd",
                "same",
            ),
        ),
        ("images.init",),
    ),
    Question(
        "weights",
        "Does the network have to be trained?",
        "Random weights, rescaled layer by layer, transfer style too (He, Wang and Hopcroft, NeurIPS 2016); "
        "trained ones do it best by far (Wang, Li and Vasconcelos, CVPR 2021).",
        (
            Claim(
                "style, trained instead of random, both rescaled",
                _RANDOM | _RESCALED,
                _TRAINED | _RESCALED,
                "style_gram_held_out",
                "lower",
            ),
            Claim(
                "style, random rescaled instead of as drawn",
                _RANDOM | _DRAWN,
                _RANDOM | _RESCALED,
                "style_gram_held_out",
                "lower",
            ),
        ),
        ("features.weights", "features.normalise"),
    ),
    Question(
        "network",
        "Which network?",
        "One layer of random filters gives textures that sometimes rival or surpass those of trained networks "
        "(Ustyuzhaninov et al., arXiv 1606.00021, 2016). A VGG of random weights, rescaled layer by layer, "
        "gives artistic images “highly competitive” with those of trained weights (He, Wang and Hopcroft, NeurIPS "
        "2016); the architecture matters more than learned weights (Wang, Li and Vasconcelos, CVPR 2021). That VGG-16 "
        "does as well as VGG-19 is what its use implies (Johnson, Alahi and Fei-Fei, ECCV 2016). The metrics look "
        "through the trained VGG-19, which favors it.",
        (
            Claim(
                "style, random weights instead of trained",
                _VGG19,
                _RANDOM_VGG19,
                "style_gram_held_out",
                "same",
            ),
            Claim("structure lost, the same", _VGG19, _RANDOM_VGG19, "cfsd", "same"),
            Claim(
                "style, one random layer instead of VGG-19", _VGG19, _SHALLOW, "style_gram_held_out", "same"
            ),
            Claim("structure lost, the same", _VGG19, _SHALLOW, "cfsd", "same"),
            Claim("style, VGG-16 instead of VGG-19", _VGG19, _VGG16, "style_gram_held_out", "same"),
            Claim("structure lost, the same", _VGG19, _VGG16, "cfsd", "same"),
        ),
        ("features.network", "features.weights"),
    ),
    Question(
        "losses",
        "Which style loss?",
        "At any level of content a relaxed optimal transport gives better style than losses before it, in a user study "
        "of a method that also replaces the content loss (Kolkin, Salavon and Shakhnarovich, CVPR 2019). A sliced "
        "Wasserstein loss gives textures “visually superior” to those of Gram matrices (Heitz et al., CVPR 2021). "
        "Means of each channel alone give comparable results: second-order statistics are not needed (Li et al., IJCAI "
        "2017). By measures calibrated to human preference the loss of Gram matrices, its optimization modified, is "
        "among the three best trade-offs, and most of the variability is due to the style image (Yeh et al., arXiv "
        "1910.09447, 2020). "
        "Style is measured here by a distance that none of these losses minimizes.",
        (
            Claim(
                "style, optimal transport instead of Gram",
                _GRAM,
                _REMD,
                "style_wasserstein_held_out",
                "lower",
            ),
            Claim("structure lost, the same", _GRAM, _REMD, "cfsd", "lower"),
            Claim("style, sliced instead of Gram", _GRAM, _SLICED, "style_wasserstein_held_out", "lower"),
            Claim("style, moments instead of Gram", _GRAM, _MOMENTS, "style_wasserstein_held_out", "same"),
        ),
        ("loss.style_loss",),
    ),
    Question(
        "optimizers",
        "Which optimizer?",
        f"L-BFGS works best for image synthesis ({_GATYS}, section 2.3).",
        (
            Claim(
                "loss, L-BFGS instead of Adam at 0.02",
                _ADAM | {"optimizer.learning_rate": 0.02},
                _LBFGS,
                "loss",
                "lower",
            ),
            Claim(
                "loss, L-BFGS instead of Adam at 0.08",
                _ADAM | {"optimizer.learning_rate": 0.08},
                _LBFGS,
                "loss",
                "lower",
            ),
            Claim("loss, in the coordinates of a pyramid", _LBFGS, _PYRAMID, "loss", "lower"),
        ),
        ("optimizer.name", "optimizer.learning_rate"),
    ),
    Question(
        "padding",
        "What lies beyond the border?",
        "Networks that generate images are padded by reflection to avoid artifacts at the border (Johnson, Alahi and "
        "Fei-Fei, ECCV 2016, supplement; Dumoulin, Shlens and Kudlur, ICLR 2017). We know of no "
        "publication about padding the network that compares images.",
        (
            Claim(
                "the border's step in color, reflection instead of zeros", _ZEROS, _REFLECT, "border", "lower"
            ),
            Claim("the same, last pixels instead of zeros", _ZEROS, _REPLICATE, "border", "lower"),
            Claim("style", _ZEROS, _REFLECT, "style_gram_held_out", "same"),
        ),
        ("features.padding",),
    ),
    Question(
        "audio_ablation",
        "What makes the style of audio?",
        "Random filters over spectrograms carry timbre and texture (Ulyanov and Lebedev 2016), which in a "
        "later comparison came out barely nearer to the style than the content itself (Cífka et al., ICASSP"
        " 2021). Starting from the content proved key (Grinstein et al., ICASSP 2018). Optimizing the "
        "samples was hoped to give better quality, since no phases have to be found (Mital 2017). That more "
        "filters are better and that α keeps the content is what their use implies.",
        (
            Claim(
                "timbre, the result instead of the content itself",
                _CONTENT_ITSELF,
                _AUDIO,
                "style_mfcc",
                "lower",
            ),
            Claim("texture, the same", _CONTENT_ITSELF, _AUDIO, "style_texture", "lower"),
            Claim(
                "pitches, the result instead of the style itself",
                _STYLE_ITSELF,
                _AUDIO,
                "pitch_jaccard",
                "higher",
            ),
            Claim(
                "pitches, from the content instead of noise",
                _AUDIO | {"audio.init": "noise"},
                _AUDIO,
                "pitch_jaccard",
                "higher",
            ),
            Claim(
                "timbre, samples instead of magnitudes",
                _AUDIO,
                _AUDIO | {"audio.method": "waveform"},
                "style_mfcc",
                "lower",
            ),
            Claim(
                "texture, the same", _AUDIO, _AUDIO | {"audio.method": "waveform"}, "style_texture", "lower"
            ),
            Claim(
                "pitches, the same", _AUDIO, _AUDIO | {"audio.method": "waveform"}, "pitch_jaccard", "higher"
            ),
            Claim(
                "texture, with 16 times the filters",
                _AUDIO | {"audio.filters": 128},
                _AUDIO | {"audio.filters": 2048},
                "style_texture",
                "lower",
            ),
            Claim(
                "pitches, with α 100 times as large",
                _AUDIO | {"loss.content_weight": 0.1},
                _AUDIO | {"loss.content_weight": 10.0},
                "pitch_jaccard",
                "higher",
            ),
        ),
        ("audio.method", "audio.init", "audio.filters", "loss.content_weight"),
    ),
)
