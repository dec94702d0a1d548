"""Names of layers: they become attributes of torch modules, so some are taken."""

from __future__ import annotations

from nnctl.document.node import Mapping, Node, Scalar
from nnctl.errors import Position, Problem

TAKEN = frozenset(
    [
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "outputs",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
        "T_destination",
    ]
)
"""Public attributes of torch.nn.Module and of the compiled network (a test compares them with torch's)."""


class Names:
    """Gives the entries of one list their names: `name`, else kind and ordinal among its kind."""

    def __init__(self, prefix: str, problems: list[Problem]) -> None:
        self.prefix, self.problems = prefix, problems
        self.ordinals: dict[str, int] = {}
        self.given: dict[str, Position] = {}

    def path(self, kind: str, arguments: Node | None, position: Position) -> str:
        """Return the path of the next entry of a kind."""
        self.ordinals[kind] = self.ordinals.get(kind, 0) + 1
        name, place = self._own(arguments), position
        if name is None:
            name = f"{kind}{self.ordinals[kind]}"
        elif isinstance(arguments, Mapping):
            place = arguments.entries["name"].node.position
        self._claim(name, place)
        return f"{self.prefix}.{name}" if self.prefix else name

    def _own(self, arguments: Node | None) -> str | None:
        node = arguments.get("name") if isinstance(arguments, Mapping) else None
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None

    def _claim(self, name: str, place: Position) -> None:
        hint = "choose another name"
        if name in TAKEN or name.startswith("_"):
            message = f"`{name}` cannot name a layer: torch's modules use the word themselves"
            self.problems.append(Problem("name", message, place, self.prefix, hint=hint))
        elif name in self.given:
            first = self.given[name]
            message = f"two layers of one list are called `{name}`"
            detail = (f"the first is at line {first.line}",) if first.line else ()
            self.problems.append(Problem("name", message, place, self.prefix, detail, hint))
        self.given.setdefault(name, place)
