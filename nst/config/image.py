"""The fields of images."""

from nst.config.field import RESAMPLE, RUN, Field, modality

IMAGE = {
    "modality": modality("image"),
    "images.content": Field(
        "coffee", "content image: a path, a folder, the name of a sample, or tfds:NAME/SPLIT", "input"
    ),
    "images.style": Field(
        "strokes",
        "style image, in the same forms as images.content; several with commas between them, or as a tuple; the "
        "default comes with nst, so nothing is fetched",
        "input",
        also=tuple,
    ),
    "images.style_weights": Field(
        (),
        "weights of several styles, of which only the ratio matters; (): all equal",
        "number",
        "not negative",
        example=(2.0, 1.0),
    ),
    "images.style_scales": Field(
        (),
        "images.style_scale of each of several styles, in units of images.style_scale; (): all 1",
        check="positive",
        example=(1.0, 0.5),
    ),
    "images.style_layers": Field(
        (),
        "layers of each of several styles, among loss.style_layers: a string with commas for each, empty for all; (): "
        "all",
        example=("relu1_1,relu2_1", "relu3_1"),
    ),
    "images.content_mask": Field(
        "",
        "where each style applies: a gray image for each style, white where it applies, or one image whose colors are "
        "the regions; of a folder, the file named as the content",
        also=tuple,
    ),
    "images.style_mask": Field(
        "",
        "the part of each style image that counts: gray, or with the colors of images.content_mask for the parts that "
        "go to its regions",
        also=tuple,
    ),
    "images.regions": Field(
        (),
        "colors of images.content_mask in the order of the styles; (): those of images.style_mask",
        example=("red", "#0000ff"),
    ),
    "images.strength": Field(
        None,
        "how much style, from 0 (the content) to 1 (the style alone), about the same for any pair of images; unset: by "
        "loss.content_weight and loss.style_weight",
        check="not negative",
        follows="loss.style_weight",
        example=0.5,
    ),
    "images.color": Field(
        "style",
        "colors of the result: style, content (only lightness is transferred; content_yiq: luminance as in Gatys "
        "2017), match (the style gets the mean and covariance of the content's colors; also match_pca, match_cholesky)",
    ),
    "images.keep": Field(
        "",
        "where the result is the content itself: a gray image, white there, or a color of images.content_mask",
    ),
    "images.alpha": Field(
        None,
        "transparency of images: keep (the result has that of the content, and what is transparent takes no part) or "
        "flatten (images are composed on white); unset: keep, but flatten an --output whose format has none",
        follows="images.content",
        example="flatten",
    ),
    "images.guidance": Field(
        "simple",
        "how masks reach the layers: simple, inside (no style crosses the border of its region), all (Gatys 2017)",
    ),
    "images.size": Field(
        256, "longest side of the result, pixels; 256 takes half a minute on two CPU cores", check="positive"
    ),
    "images.aspect": Field(1.0, "width / height that images of data sets are cropped to", check="positive"),
    "images.style_scale": Field(
        1.0,
        "longest side of the style image, in units of images.size: above 1 for larger strokes",
        check="positive",
    ),
    "images.init": Field(
        "content",
        "initial image: content, style, noise, gray (the mean color of VGG's training images), a path, or a sample's "
        "name; content converges soonest",
        "input",
    ),
    "images.seed": Field(0, "seed of noise, random weights and random losses", "input", "not negative"),
    "features.network": Field(
        "vgg19",
        "network that computes the features: vgg19, vgg16, or shallow (one layer of random filters)",
    ),
    "features.weights": Field(
        None,
        "weights of the network: a source (nst weights list), random, or a path",
        follows="features.network",
        example="vgg19",
    ),
    "features.normalise": Field(
        None,
        "part of the network that is rescaled to a mean activation of 1: filter (or True; as in the 2016 article, so "
        "that its α/β apply), layer, network, or none (or False); unset: layer for VGG networks",
        follows="features.network",
        example="layer",
        also=bool,
    ),
    "features.pooling": Field("avg", "pooling: avg (as in the 2016 article), max, l2"),
    "features.convolution": Field("auto", "algorithm: auto (winograd where it is faster), direct, winograd"),
    "features.precision": Field("float32", "precision of the products of convolutions: float32 or bfloat16"),
    "features.padding": Field("zeros", "padding: zeros (as the weights were trained), reflect, replicate"),
    "loss.style_loss": Field(
        "gram",
        "style loss: gram (as in the 2016 article), moments, wasserstein, sliced, patches, remd (random, so set "
        "optimizer.name=adam)",
    ),
    "loss.resample": RESAMPLE,
    "loss.content_loss": Field(
        "squared", "content loss: squared (as in the 2016 article), self_similarity (as in STROTSS)"
    ),
    "loss.content_layers": Field(
        None,
        "layers of the content loss; unset: for VGG-19 relu4_2, the rectified conv4_2 of the 2016 article",
        follows="features.network",
        example=("relu4_2",),
    ),
    "loss.style_layers": Field(
        None,
        "layers of the style loss; unset: for VGG-19 relu1_1 to relu5_1, as in the 2016 article",
        follows="features.network",
        example=("relu1_1", "relu2_1"),
    ),
    "loss.style_layer_weights": Field(
        None,
        "weights w_l of the style layers; unset: the defaults of the style loss, which sum to 1; (): all equal",
        "number",
        "not negative",
        follows="loss.style_layers",
        example=(0.8, 0.2),
    ),
    "loss.content_weight": Field(1.0, "α, weight of the content loss", "number", "not negative"),
    "loss.style_weight": Field(
        None,
        "β, weight of the style loss; unset: a value for this style loss that suits content_weight=1",
        "number",
        "not negative",
        follows="loss.style_loss",
        example=100.0,
    ),
    "loss.tv_weight": Field(
        20.0,
        "weight of the total variation of pixels in [0, 1], against speckle; the 2016 article has none",
        "number",
        "not negative",
    ),
    "loss.variation": Field(
        "nine_point", "total variation: nine_point (also along diagonals), squared, absolute"
    ),
    "loss.matting_weight": Field(
        0.0,
        "λ, weight of the matting Laplacian, by which a photograph stays one: 1e5 in configs/photo.py",
        "number",
        "not negative",
    ),
    "loss.reduction": Field(
        "mean",
        "reduction of content, total variation and matting Laplacian over positions: mean, or sum as in the articles; "
        "with means the same weights give the same balance at any size",
    ),
    "loss.tv_reduction": Field(
        None,
        "reduction of the total variation: mean, or sum as in neural-style-pt; unset: that of the content",
        follows="loss.reduction",
        example="sum",
    ),
    "optimizer.name": Field(
        "lbfgs_pyramid",
        "optimizer: lbfgs_pyramid (fewer steps), lbfgs (as in the 2016 article), adam, adam_average (within [0, 1]; "
        "the result is the average of the iterates), rmsprop",
    ),
    "optimizer.parameters": Field(
        "pixels", "what is optimized: pixels, or laplacian (coefficients of a Laplacian pyramid)"
    ),
    "optimizer.steps": Field(
        60, "steps at the last scale; each takes one loss and gradient", "count", "not negative"
    ),
    "optimizer.learning_rate": Field(
        None,
        "learning rate, for pixels in [0, 1]; unset: 1 for L-BFGS, 0.02 for adam, 0.002 for rmsprop",
        "number",
        "positive",
        follows="optimizer.name",
        example=0.02,
    ),
    "pyramid.scales": Field(
        None,
        "longest sides from coarse to fine, pixels; unset: images.size, its half, rounded up, and so on down to "
        "pyramid.min_size; (): images.size only",
        follows="images.size",
        example=(128, 256),
    ),
    "pyramid.min_size": Field(
        128,
        "smallest longest side if pyramid.scales is unset, pixels; below 128, relu5_1 has fewer than 8×8 positions",
        check="positive",
    ),
    "pyramid.steps": Field(100, "steps at each scale except the last", "count", "not negative"),
    "pyramid.first_steps": Field(
        None,
        "steps at the first of several scales",
        "count",
        "not negative",
        follows="pyramid.steps",
        example=200,
    ),
    "pyramid.content_factor": Field(
        1.0,
        "factor of loss.content_weight from each scale to the next; 0.5 in STROTSS",
        check="not negative",
    ),
} | RUN
