"""Build torchvision's ResNet-18 (He et al. 2016, https://arxiv.org/abs/1512.03385).

Images under 64 pixels get the paper's CIFAR stem: a 3x3 convolution of stride 1, no pooling.
"""

from torchvision.models import resnet18

from trainables.architectures._backbone import BackboneConfig
from trainables.architectures._recipe import TRAINING
from trainables.architectures._resnet import ResNetModel

IMAGENET = "ResNet18_Weights.IMAGENET1K_V1"

Config = BackboneConfig

RECIPE = {**TRAINING, "lr": 0.001, "crop_padding": 0.1}


class Model(ResNetModel):
    build = staticmethod(resnet18)
