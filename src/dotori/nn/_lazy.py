"""The layers that are loaded when one of their names is first used.

`import dotori.nn` loads what a multilayer perceptron needs. The other families wait
here under their names, so that what is not used costs no time. A test holds these
tables against the files.
"""

from __future__ import annotations

#: Under each file of `dotori.nn`: its modules.
MODULES: dict[str, str] = {
    "transformer": "Transformer TransformerDecoder TransformerEncoder",
    "transformer_layer": "TransformerDecoderLayer TransformerEncoderLayer",
    "attention": "MultiheadAttention",
    "convolution": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d "
    "ConvTranspose3d",
    "recurrent": "GRU LSTM RNN",
    "recurrent_base": "RNNBase",
    "recurrent_cells": "GRUCell LSTMCell RNNCell RNNCellBase",
    "batch_norm": "BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d "
    "InstanceNorm3d",
    "lazy": "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d "
    "LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d "
    "LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d LazyLinear",
    "normalization": "CrossMapLRN2d GroupNorm LayerNorm LocalResponseNorm RMSNorm",
    "embedding": "Embedding EmbeddingBag",
    "position": "RotaryPositionalEncoding SinusoidalPositionalEncoding",
    "upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
    "adaptive_pooling": "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d "
    "AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d",
    "folding": "Fold Unfold",
    "fractional_pooling": "FractionalMaxPool2d FractionalMaxPool3d",
    "padding": "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d "
    "ConstantPad2d ConstantPad3d ReflectionPad1d ReflectionPad2d "
    "ReflectionPad3d ReplicationPad1d ReplicationPad2d "
    "ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d",
    "pixels": "ChannelShuffle PixelShuffle PixelUnshuffle",
    "pooling": "AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d "
    "MaxPool1d MaxPool2d MaxPool3d",
    "unpooling": "MaxUnpool1d MaxUnpool2d MaxUnpool3d",
}

#: Under each file of `dotori.nn.functional`: its functions.
FUNCTIONS: dict[str, str] = {
    "multi_head": "multi_head_attention_forward",
    "attention": "scaled_dot_product_attention",
    "convolution": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d "
    "conv_transpose3d",
    "normalization": "batch_norm group_norm instance_norm layer_norm "
    "local_response_norm rms_norm",
    "lookup": "embedding embedding_bag",
    "grid": "affine_grid grid_sample",
    "interpolation": "interpolate upsample upsample_bilinear upsample_nearest",
    "adaptive_pooling": "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d "
    "adaptive_max_pool1d adaptive_max_pool1d_with_indices adaptive_max_pool2d "
    "adaptive_max_pool2d_with_indices adaptive_max_pool3d "
    "adaptive_max_pool3d_with_indices",
    "fractional_pooling": "fractional_max_pool2d fractional_max_pool2d_with_indices "
    "fractional_max_pool3d fractional_max_pool3d_with_indices",
    "unpooling": "max_unpool1d max_unpool2d max_unpool3d",
    "folding": "fold unfold",
    "pixels": "channel_shuffle pixel_shuffle pixel_unshuffle",
    "mean_pooling": "avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d",
    "pooling": "max_pool1d max_pool1d_with_indices max_pool2d "
    "max_pool2d_with_indices max_pool3d max_pool3d_with_indices",
}


def places(package: str, table: dict[str, str]) -> dict[str, str]:
    """The module that each name of `table` lives in."""
    return {
        name: f"{package}.{family}"
        for family, names in table.items()
        for name in names.split()
    }
