"""Self-attention with torch's tensors and one input, where nn.MultiheadAttention has three and a tuple for output."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Multi-head self-attention: (N, T, F) -> (N, T, F); its state loads into nn.MultiheadAttention and back."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * features, features))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * features))
        self.out_proj = _Output(features, features)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start as nn.MultiheadAttention does."""
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.in_proj_bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return what each token gathers."""
        packed = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        query, key, value = packed.view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        gathered: Tensor = functional.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.out_proj(gathered.transpose(1, 2).flatten(2))
        return mixed


class _Output(nn.Linear):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        nn.init.zeros_(self.bias)
