"""Specs as people get them wrong, each with the exact text that nnctl answers.

A case is a name, the spec, overrides behind `$`, and behind `---` what is printed.
"""

from __future__ import annotations

import pytest

from nnctl.cli.app import main
from nnctl.errors import SpecError
from nnctl.graph.build import build_text

CASES = """\
=== kind typo
name: bad
model:
  input: [3, 8, 8]
  layers:
    - cnov: 8
---
error: there is no layer `cnov`
  --> spec.yaml:5:7

hint: did you mean `conv`?
=== kind of torch
name: bad
model:
  input: [3, 8, 8]
  layers:
    - Conv2d: 8
---
error: there is no layer `Conv2d`
  --> spec.yaml:5:7

hint: nnctl calls it `conv`
=== kind known elsewhere
name: bad
model:
  input: [3, 8, 8]
  layers:
    - flatten
    - dense: 10
---
error: there is no layer `dense`
  --> spec.yaml:6:7

hint: nnctl calls it `linear`
=== field typo
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {chanels: 8}
---
error: `conv` has no field `chanels`
  --> spec.yaml:5:14 (conv1)

hint: did you mean `channels`?
=== field missing
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {kernel: 3}
---
error: `conv` needs `channels`
  --> spec.yaml:5:7 (conv1)

hint: write `conv: …`, a whole number of at least 1
=== field missing alone
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv
---
error: `conv` needs `channels`
  --> spec.yaml:5:7 (conv1)

hint: write `conv: …`, a whole number of at least 1
=== takes no value
name: bad
model:
  input: [3, 8, 8]
  layers:
    - flatten: 3
---
error: `flatten` takes no value, found 3
  --> spec.yaml:5:16 (flatten1)

hint: write `flatten` alone
=== two kinds in one entry
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: 8
      name: stem
---
error: an entry has one kind, found 2 keys
  --> spec.yaml:5:7

hint: write `conv: {…}` with `name` inside the braces, or make them entries of their own
=== entry is a list
name: bad
model:
  input: [3, 8, 8]
  layers:
    - [conv, 8]
---
error: expected a layer, found a list
  --> spec.yaml:5:7

hint: write a name alone, such as `adaptive_avg_pool`, or with fields, `adaptive_avg_pool: {…}`
=== entry is a number
name: bad
model:
  input: [3, 8, 8]
  layers:
    - 64
---
error: expected a layer, found 64
  --> spec.yaml:5:7

hint: write a name alone, such as `adaptive_avg_pool`, or with fields, `adaptive_avg_pool: {…}`
=== layers are no list
name: bad
model:
  input: [3]
  layers: relu
---
error: expected a list of layers, found "relu"
  --> spec.yaml:4:11

hint: write `[…]`, or `- …` lines
=== channels zero
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: 0
---
error: `channels` is 0, expected a whole number of at least 1
  --> spec.yaml:5:13 (conv1)
=== channels negative
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: -8
---
error: `channels` is -8, expected a whole number of at least 1
  --> spec.yaml:5:13 (conv1)
=== channels text
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: many
---
error: `channels` is "many", expected a whole number of at least 1
  --> spec.yaml:5:13 (conv1)
=== channels fraction
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: 8.5
---
error: `channels` is 8.5, expected a whole number of at least 1
  --> spec.yaml:5:13 (conv1)
=== kernel is a mapping
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, kernel: {x: 3}}
---
error: `kernel` is a mapping, expected a whole number of at least 1, or a list with one for each axis
  --> spec.yaml:5:35 (conv1)
=== bias is text
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, bias: yes}
---
error: `yes` is ambiguous: some YAML readers take it for true or false
  --> spec.yaml:5:33

hint: write true, or quote it: "yes"
=== bias is a number
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, bias: 0}
---
error: `bias` is 0, expected true or false
  --> spec.yaml:5:33 (conv1)
=== padding mode typo
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, padding_mode: reflct}
---
error: `padding_mode` is "reflct", expected zeros, circular or reflect
  --> spec.yaml:5:41 (conv1)

hint: did you mean `reflect`?
=== dropout one
name: bad
model:
  input: [3, 8, 8]
  layers:
    - dropout: 1
---
error: `p` is 1, expected a number from 0 to below 1
  --> spec.yaml:5:16 (dropout1)
=== dropout negative
name: bad
model:
  input: [3, 8, 8]
  layers:
    - dropout: -0.1
---
error: `p` is -0.1, expected a number from 0 to below 1
  --> spec.yaml:5:16 (dropout1)
=== keep zero
name: bad
model:
  input: [3, 8, 8]
  layers:
    - dropout: {keep: 0}
---
error: `keep` is 0, expected a number above 0, up to 1
  --> spec.yaml:5:23 (dropout1)
=== groups do not divide
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, groups: 3}
---
error: `channels` (=8) must be divisible by `groups` (=3)
  --> spec.yaml:5:7 (conv1)

hint: choose `groups` among the divisors of 8
=== groups do not divide the input
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, groups: 2}
---
error: The channels that arrive cannot be cut into 2 equal groups
  --> spec.yaml:5:7 (conv1)
  `groups` is 2, input is (3, 8, 8)
  (3, 8, 8) arrives from the input

hint: choose `groups` among the divisors of 3
=== kernel too large
name: bad
model:
  input: [3, 8, 8]
  layers:
    - max_pool: 4
    - conv: {channels: 8, kernel: 5, padding: 0}
---
error: Kernel is larger than its input
  --> spec.yaml:6:7 (conv1)
  `kernel` is 5, input is (3, 2, 2), `padding` is 0
  (3, 2, 2) arrives from `max_pool1` (line 5)

hint: set `padding: same`, or a smaller `kernel`, or remove a pool or stride before it
=== pool too large
name: bad
model:
  input: [3, 8, 8]
  layers:
    - max_pool: 2
    - max_pool: 2
    - max_pool: 2
    - max_pool: 2
---
error: Kernel is larger than its input
  --> spec.yaml:8:7 (max_pool4)
  `kernel` is 2, input is (3, 1, 1), `padding` is 0
  (3, 1, 1) arrives from `max_pool3` (line 7)

hint: set a smaller `kernel`, or remove a pool or stride before it
=== pool padding
name: bad
model:
  input: [3, 8, 8]
  layers:
    - max_pool: {kernel: 2, padding: 2}
---
error: Padding is more than half the kernel: some windows would hold nothing but padding
  --> spec.yaml:5:7 (max_pool1)
  `padding` is 2, `kernel` is 2
  (3, 8, 8) arrives from the input

hint: set `padding: 1` or less
=== linear on an image
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: 8
    - linear: 10
---
error: `linear` takes a vector or tokens, not an image
  --> spec.yaml:6:7 (linear1)
  expected (features,) or (tokens, features), got (8, 8, 8)
  (8, 8, 8) arrives from `conv1` (line 5)

hint: put `flatten` before it
=== conv on a vector
name: bad
model:
  input: [3, 8, 8]
  layers:
    - flatten
    - conv: 8
---
error: `conv` takes a signal, an image or a volume, not a vector
  --> spec.yaml:6:7 (conv1)
  expected (channels, length), (channels, height, width) or (channels, depth, height, width), got (192,)
  (192,) arrives from `flatten1` (line 5)

hint: put `reshape: [channels, height, width]` before it
=== kernel axes
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, kernel: [3, 3, 3]}
---
error: `kernel` has 3 numbers, but the input has 2 spatial axes
  --> spec.yaml:5:7 (conv1)
  `kernel` is [3, 3, 3], input is (3, 8, 8)
  (3, 8, 8) arrives from the input

hint: give a single number, or one for each axis
=== reshape
name: bad
model:
  input: [3, 8, 8]
  layers:
    - flatten
    - reshape: [5, 5]
---
error: The new shape has another count of numbers than the old one
  --> spec.yaml:6:7 (reshape1)
  expected 192 numbers for (192,), got 5·5 = 25 for (5, 5)
  (192,) arrives from `flatten1` (line 5)

hint: choose numbers whose product is 192
=== unknown variable
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: $widht
---
error: `$widht` is not known here
  --> spec.yaml:5:13

hint: known names: features, in
=== classes without data
name: bad
model:
  input: [3, 8, 8]
  layers:
    - flatten
    - linear: $classes
---
error: `$classes` is not known here
  --> spec.yaml:6:15

hint: the number of classes is not known here: write `classes:` in the data set, or a number
=== bad expression
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: $(8 +* 2)
---
error: `*` is not expected here in `$(8 +* 2)`
  --> spec.yaml:5:18
=== fraction by division
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: $(9 / 3)
---
error: `channels` is 3.0, expected a whole number of at least 1
  --> spec.yaml:5:13 (conv1)

hint: write 3; in `$(…)`, `//` divides whole numbers
=== init typo
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, init: kaimng}
---
error: there is no initializer `kaimng`
  --> spec.yaml:5:33 (conv1)

hint: did you mean `kaiming`?
=== init field
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, init: {kaiming: {fan: both}}}
---
error: `fan` is "both", expected in or out
  --> spec.yaml:5:49 (conv1)
=== residual shapes
name: bad
model:
  input: [3, 8, 8]
  layers:
    - residual:
        shortcut: identity
        body:
          - conv: 8
---
error: the two ways of a residual end in different shapes
  --> spec.yaml:5:7 (residual1)
  body: (8, 8, 8), from `residual1.body.conv1` (line 8)
  shortcut: (3, 8, 8), from the input

hint: write `shortcut: auto`, which adds a 1×1 convolution where the shapes differ
=== unknown tag
name: bad
model:
  input: [3, 8, 8]
  layers:
    - tag: stem
    - from: stm
---
error: there is no tag `stm` here
  --> spec.yaml:6:7

hint: did you mean `stem`?
=== duplicate name
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, name: stem}
    - conv: {channels: 8, name: stem}
---
error: two layers of one list are called `stem`
  --> spec.yaml:6:33
  the first is at line 5

hint: choose another name
=== reserved name
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, name: train}
---
error: `train` cannot name a layer: torch's modules use the word themselves
  --> spec.yaml:5:33

hint: choose another name
=== no model
name: bad
data: {dataset: digits}
---
error: a spec needs `model`
  --> spec.yaml:1:1

hint: write `model: {layers: […]}`
=== no layers
name: bad
model:
  input: [3]
---
error: `model` needs `layers`
  --> spec.yaml:2:1 (model)

hint: write `layers:` and a list below it
=== no name
model: {input: [3], layers: [relu]}
---
error: a spec needs `name`
  --> spec.yaml:1:1

hint: write `name: …` on top
=== name with slash
name: a/b
model: {input: [3], layers: [relu]}
---
error: "a/b" cannot be the name of a folder
  --> spec.yaml:1:7 (name)

hint: runs lie in a folder of this name: use letters, digits, `_`, `-` and `.`
=== name number
name: 18
model: {input: [3], layers: [relu]}
---
error: `name` is 18, expected text
  --> spec.yaml:1:7 (name)

hint: quote it: "18"
=== no input
name: bad
model: {layers: [relu]}
---
error: nothing says what enters the network
  --> spec.yaml:2:1 (model)

hint: write `data: {dataset: …}`, or `model: {input: [3, 32, 32]}`
=== input zero
name: bad
model: {input: [3, 0, 8], layers: [relu]}
---
error: `input` is [3, 0, 8], not a shape
  --> spec.yaml:2:16 (model.input)

hint: write the shape of one sample, such as [3, 32, 32], {tokens: 8, features: 16} or {tokens: 8, vocabulary: 128}
=== section typo
name: bad
model: {input: [3], layers: [relu]}
trian: {epochs: 1}
---
error: a spec has no key `trian`
  --> spec.yaml:3:1

hint: did you mean `train`?
=== key in the wrong place
name: bad
epochs: 3
model: {input: [3], layers: [relu]}
---
error: a spec has no key `epochs`
  --> spec.yaml:2:1

hint: it belongs in `train`
=== model key typo
name: bad
model: {input: [3], layer: [relu]}
---
error: `model` has no key `layer`
  --> spec.yaml:2:21 (model)

hint: did you mean `layers`?
=== newer format
format: 2
name: bad
model: {input: [3], layers: [relu]}
---
error: the spec is in format 2, this nnctl reads up to 1
  --> spec.yaml:1:9 (format)

hint: use a newer nnctl
=== seed negative
name: bad
seed: -1
model: {input: [3], layers: [relu]}
---
error: `seed` is -1, expected a whole number of at least 0
  --> spec.yaml:2:7 (seed)
=== data set typo
name: bad
data: {dataset: digts}
model: {layers: [flatten, {linear: $classes}]}
---
error: there is no data set `digts`
  --> spec.yaml:2:17 (data.dataset)

hint: did you mean `digits`?
=== data set missing
name: bad
data: {validation: 0.1}
model: {layers: [flatten]}
---
error: `data` needs `dataset`
  --> spec.yaml:2:1 (data)

hint: write `dataset: …`
=== validation share
name: bad
data: {dataset: digits, validation: 1.5}
model: {layers: [flatten, {linear: $classes}]}
---
error: `validation` is 1.5, expected a share from 0 to 1, or a whole number of samples
  --> spec.yaml:2:37 (data)
=== label noise
name: bad
data: {dataset: digits, label_noise: 2}
model: {layers: [flatten, {linear: $classes}]}
---
error: `label_noise` is 2, expected a number from 0 to 1
  --> spec.yaml:2:38 (data)
=== optimiser typo
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sdg: 0.1}
---
error: there is no optimizer `sdg`
  --> spec.yaml:7:15 (train.optimizer)

hint: did you mean `sgd`?
=== optimiser field
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: {lr: 0.1, momentm: 0.9}}
---
error: `sgd` has no field `momentm`
  --> spec.yaml:7:30 (train.optimizer)

hint: did you mean `momentum`?
=== optimiser without rate
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: sgd
---
error: `sgd` needs `lr`
  --> spec.yaml:7:14 (train.optimizer)

hint: write `sgd: …`, a number above 0
=== rate zero
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0}
---
error: `lr` is 0, expected a number above 0
  --> spec.yaml:7:20 (train.optimizer)
=== rate text
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: "0.1"}
---
error: `lr` is "0.1", expected a number above 0
  --> spec.yaml:7:20 (train.optimizer)

hint: write it without quotes: 0.1
=== momentum one
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: {lr: 0.1, momentum: 1}}
---
error: `momentum` is 1, expected a number from 0 to below 1
  --> spec.yaml:7:40 (train.optimizer)
=== nesterov without momentum
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: {lr: 0.1, nesterov: true}}
---
error: `nesterov: true` needs a `momentum` above 0
  --> spec.yaml:7:15 (train.optimizer)

hint: write `momentum: 0.9` beside it, or leave it out
=== loss typo
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entrpy
  optimizer: {sgd: 0.1}
---
error: there is no loss `cross_entrpy`
  --> spec.yaml:6:9 (train.loss)

hint: did you mean `cross_entropy`?
=== loss for regression
name: bad
data: {dataset: diabetes}
model: {layers: [{linear: 1}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
---
error: `cross_entropy` is not for regression, which the data set's target is
  --> spec.yaml:6:9 (train.loss)

hint: use mse or l1
=== loss at unknown
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: {cross_entropy: {at: auxx}}
  optimizer: {sgd: 0.1}
---
error: there is no tag or head `auxx`
  --> spec.yaml:6:9 (train.loss)

hint: there are no tags and heads
=== loss none
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: []
  optimizer: {sgd: 0.1}
---
error: `train.loss` is an empty list
  --> spec.yaml:6:9 (train.loss)

hint: name one
=== schedule typo
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  schedule: cosin
---
error: there is no schedule `cosin`
  --> spec.yaml:8:13 (train.schedule)

hint: did you mean `cosine`?
=== schedule both
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  schedule: {step: {every: 2, milestones: [3]}}
---
error: give either `every` or `milestones`
  --> spec.yaml:8:14 (train.schedule)
=== warmup
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  schedule: {one_cycle: {warmup: 2}}
---
error: `warmup` is 2, expected a number from 0 to 1
  --> spec.yaml:8:34 (train.schedule)
=== epochs zero
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 0
  loss: cross_entropy
  optimizer: {sgd: 0.1}
---
error: `epochs` is 0, expected a whole number of at least 1
  --> spec.yaml:5:11 (train)
=== epochs fraction
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1e1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
---
error: `epochs` is 10.0, expected a whole number of at least 1
  --> spec.yaml:5:11 (train)

hint: write 10; in `$(…)`, `//` divides whole numbers
=== no recipe
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train: {}
---
error: `train` needs `epochs`
  --> spec.yaml:4:1 (train)

hint: write `epochs: …`, a whole number of at least 1

error: `train` needs `loss`
  --> spec.yaml:4:1 (train)

hint: write `loss: …`

error: `train` needs `optimizer`
  --> spec.yaml:4:1 (train)

hint: write `optimizer: …`
=== batch size word
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  batch_size: full
---
error: `batch_size` is "full", expected a whole number of at least 1, or all
  --> spec.yaml:8:15 (train)
=== precision
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  precision: fp8
---
error: `precision` is "fp8", expected fp32 or bf16
  --> spec.yaml:8:14 (train)
=== monitor typo
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  monitor: val_acc
---
error: `val_acc` is never measured
  --> spec.yaml:8:12 (train.monitor)

hint: did you mean `val_accuracy`?
=== monitor without validation
name: bad
data: {dataset: digits, validation: 0}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  monitor: val_loss
---
error: `val_loss` is never measured
  --> spec.yaml:8:12 (train.monitor)

hint: nothing is held out: set `data.validation`, or monitor a train_ measure
=== monitor of early stopping
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  early_stopping: {monitor: val_rmse}
---
error: `val_rmse` is never measured
  --> spec.yaml:8:29 (train.early_stopping.monitor)

hint: measured: train_accuracy, train_error, train_loss, train_top5, val_accuracy, val_error, val_loss, val_top5
=== patience
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  early_stopping: {patience: 0}
---
error: `patience` is 0, expected a whole number of at least 1
  --> spec.yaml:8:30 (train.early_stopping)
=== clip negative
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  clip: {norm: -1}
---
error: `norm` is -1, expected a number above 0
  --> spec.yaml:8:16 (train.clip)
=== ema one
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  ema: 1
---
error: `decay` is 1, expected a number from 0 to below 1
  --> spec.yaml:8:8 (train.ema)
=== norway
name: bad
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 8, padding_mode: no}
---
error: `no` is ambiguous: some YAML readers take it for true or false
  --> spec.yaml:5:41

hint: write false, or quote it: "no"
=== octal
name: bad
seed: 010
model: {input: [3], layers: [relu]}
---
error: `010` is ambiguous: some YAML readers take a leading zero for base 8
  --> spec.yaml:2:7

hint: write a plain decimal number, or quote it: "010"
=== not a number
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: .nan}
---
error: `.nan` is ambiguous: a spec holds finite numbers only
  --> spec.yaml:7:20

hint: write a plain decimal number, or quote it: ".nan"
=== thousands
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
  batch_size: 1_000
---
error: `1_000` is ambiguous: numbers are written without `_`
  --> spec.yaml:8:15

hint: write a plain decimal number, or quote it: "1_000"
=== tab
name: bad
model:
\tinput: [3]
---
error: this is not valid YAML: the line is indented with a tab
  --> spec.yaml:3:1

hint: indent with spaces, not tabs
=== unclosed
name: bad
model: {input: [3, layers: [relu]}
---
error: this is not valid YAML: the `[` of line 2 is closed with `}`
  --> spec.yaml:2:34

hint: write `]` before it or in its place
=== colon
name: bad
description: a net: small
model: {input: [3], layers: [relu]}
---
error: this is not valid YAML: the value holds another `: `
  --> spec.yaml:2:19

hint: put the whole value in quotes
=== indentation
name: bad
model:
  input: [3]
   layers: [relu]
---
error: this is not valid YAML: line 4 begins in column 4, where nothing above it does
  --> spec.yaml:4:4

hint: the lines of one list or mapping begin in the same column, here 3 or 1
=== duplicate key
name: bad
seed: 1
name: good
model: {input: [3], layers: [relu]}
---
error: the key `name` is written twice
  --> spec.yaml:3:1
  its first place is spec.yaml:1:1

hint: remove one of them
=== anchor
name: bad
model:
  input: [3]
  layers: [&x relu, *x]
---
error: anchors (&x) are not part of a spec
  --> spec.yaml:4:12

hint: use `params` or `blocks`

error: aliases (*x) are not part of a spec
  --> spec.yaml:4:21

hint: use `params` or `blocks`
=== merge key
name: bad
model:
  <<: {input: [3]}
  layers: [relu]
---
error: merge keys (<<) are not part of a spec
  --> spec.yaml:3:3

hint: use `extends` or `blocks`
=== python tag
name: !!python/name:os.system
model: {input: [3], layers: [relu]}
---
error: tags (tag:yaml.org,2002:python/name:os.system) are not part of a spec
  --> spec.yaml:1:7

hint: remove the tag
=== self extending
name: bad
extends: spec.yaml
---
error: the spec extends itself
  --> spec.yaml:2:10 (extends)
  spec.yaml → spec.yaml

hint: remove this `extends`, or name another file
=== missing base
name: bad
extends: nowhere/base.yaml
---
error: there is no file nowhere/base.yaml
  --> spec.yaml:2:10 (extends)

hint: the path starts at this file
=== empty

---
error: the file is empty
  --> spec.yaml:1:1

hint: begin with `name: …` and `model:`
=== a list
- conv
- relu
---
error: a spec is a mapping of keys to values
  --> spec.yaml:1:1

hint: begin with `name: …` and `model:`
=== override key
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
$ train.epoch=2
---
error: there is no `train.epoch`
  --> command line:7

hint: did you mean `epochs`?
=== override value
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
$ train.epochs=-2
---
error: `epochs` is -2, expected a whole number of at least 1
  --> command line:14 (train)
=== override param
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
$ model.params.width=2
---
error: there is no `model.params.width`
  --> command line:14

hint: there are no parameters
=== override index
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
$ model.layers[2]=relu
---
error: `model.layers` has 2 entries, none at [2]
  --> command line:13

hint: its entries are [0] to [1]
=== override form
name: bad
data: {dataset: digits}
model: {layers: [flatten, {linear: $classes}]}
train:
  epochs: 1
  loss: cross_entropy
  optimizer: {sgd: 0.1}
$ train.epochs
---
error: `train.epochs` is not an override
  --> command line:1

hint: write PATH=VALUE, such as train.epochs=2
=== block argument
name: bad
model:
  input: [3, 8, 8]
  layers:
    - basic_block: {channels: 8, strides: 2}
---
error: the block `basic_block` has no parameter `strides`
  --> spec.yaml:5:34 (basic_block1)

hint: nnctl calls it `stride`
=== block shape
name: bad
model:
  input: [3, 8, 8]
  layers:
    - basic_block: {channels: 8, shortcut: identity}
---
error: the two ways of a residual end in different shapes
  --> spec.yaml:5:7 (basic_block1.residual1)
  body: (8, 8, 8), from `basic_block1.residual1.body.batch_norm2` (line 5)
  shortcut: (3, 8, 8), from the input
  inside the shipped block `basic_block`

hint: write `shortcut: auto`, which adds a 1×1 convolution where the shapes differ
=== everything at once
name: bad
seed: yes
data: {dataset: digts}
model:
  layers:
    - cnov: 8
    - conv: {chanels: 8}
    - linear: $wide
train:
  epochs: 0
  loss: mse
  optimizer: {sgd: -1}
---
error: `yes` is ambiguous: some YAML readers take it for true or false
  --> spec.yaml:2:7

hint: write true, or quote it: "yes"

error: there is no data set `digts`
  --> spec.yaml:3:17 (data.dataset)

hint: did you mean `digits`?

error: there is no layer `cnov`
  --> spec.yaml:6:7

hint: did you mean `conv`?

error: `conv` has no field `chanels`
  --> spec.yaml:7:14 (conv1)

hint: did you mean `channels`?

error: `$wide` is not known here
  --> spec.yaml:8:15

hint: known names: classes, features, in

error: `epochs` is 0, expected a whole number of at least 1
  --> spec.yaml:10:11 (train)

error: `lr` is -1, expected a number above 0
  --> spec.yaml:12:20 (train.optimizer)
"""


def cases() -> list[tuple[str, str, list[str], str]]:
    """Return name, spec, overrides and expected text of every case."""
    found = []
    for case in CASES.split("=== ")[1:]:
        head, _, expected = case.partition("\n---\n")
        name, _, body = head.partition("\n")
        lines = body.split("\n")
        overrides = [line[2:] for line in lines if line.startswith("$ ")]
        spec = "".join(f"{line}\n" for line in lines if not line.startswith("$ "))
        found.append((name, spec, overrides, expected.removesuffix("\n")))
    return found


@pytest.mark.parametrize(
    ("spec", "overrides", "expected"), [case[1:] for case in cases()], ids=[case[0] for case in cases()]
)
def test_a_bad_spec_is_answered_word_for_word(spec: str, overrides: list[str], expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_text(spec, overrides)
    assert str(caught.value) == expected
    assert SpecError.exit_code == 2


def test_there_are_at_least_forty() -> None:
    names = [case[0] for case in cases()]
    assert len(names) == len(set(names)) >= 40


@pytest.mark.parametrize("case", [case for case in cases() if case[0] in ("kind typo", "everything at once", "octal")])
def test_the_command_line_prints_the_same_and_exits_with_two(
    case: tuple[str, str, list[str], str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, spec, overrides, expected = case
    folder = tmp_path_factory.mktemp("bad")
    monkeypatch.chdir(folder)
    (folder / "spec.yaml").write_text(spec)
    with pytest.raises(SystemExit) as stopped:
        main(["check", "spec.yaml", *overrides])
    assert stopped.value.code == 2
    assert expected in capsys.readouterr().err
