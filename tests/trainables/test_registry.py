"""What can be trained, by name."""

from trainables.registry import default_of, recipe_of


def test_defaults_keep_their_keys_and_values() -> None:
    """A default that changes silently makes the same configuration another one."""
    assert default_of("cnn", 3) == {
        "architecture": "cnn",
        "epochs": 3,
        "batch_size": 128,
        "lr": 0.001,
        "l2": 0.0,
        "optimizer": "adam",
        "momentum": 0.9,
        "schedule": "constant",
        "step_epochs": None,
        "step_gamma": 0.1,
        "exponential_gamma": None,
        "warmup_epochs": None,
        "plateau_factor": 0.1,
        "plateau_patience": None,
        "plateau_min_lr": 0.0,
        "label_smoothing": 0.0,
        "ema_epochs": 0.0,
        "head_epochs": 0,
        "first_layer_lr": 1.0,
        "horizontal_flip": 0.0,
        "vertical_flip": 0.0,
        "crop_padding": 0.0,
        "crop_fraction": 1.0,
        "rotation_degrees": 0.0,
        "shear_degrees": 0.0,
        "zoom": 0.0,
        "translation": 0.0,
        "trivial_augment": 0.0,
        "brightness": 0.0,
        "contrast": 0.0,
        "saturation": 0.0,
        "hue": 0.0,
        "random_erasing": 0.0,
        "mixup_alpha": 0.0,
        "cutmix_alpha": 0.0,
        "class_weights": "none",
        "keep": "last",
        "features": None,
        "max_image_size": None,
        "normalisation": "train",
        "num_features": None,
        "resize": 0,
        "filters": (32, 64),
        "pool_every": 1,
        "same_padding": True,
        "dense": (128,),
        "dense_taper": "none",
        "batch_norm": True,
        "norm_after_activation": False,
        "activation": "relu",
        "dropout": 0.0,
    }


def test_an_estimators_defaults_have_no_knobs_of_a_network() -> None:
    assert default_of("knn", 3) == {
        "architecture": "knn",
        "epochs": 3,
        "class_weights": "none",
        "features": None,
        "max_image_size": None,
        "num_features": None,
        "k": 5,
        "metric": "euclidean",
        "weights": "uniform",
        "max_references": None,
    }


def test_a_recipe_lies_over_the_defaults_and_what_has_none_keeps_them() -> None:
    default = default_of("cnn", 3)
    recipe = recipe_of(default)
    assert recipe.keys() == default.keys()
    assert recipe["schedule"] == "one_cycle"
    assert recipe["filters"] == default["filters"]
    assert recipe_of(default_of("knn", 3)) == default_of("knn", 3)
