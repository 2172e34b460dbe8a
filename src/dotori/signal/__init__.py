"""Signals under the names of ``torch.signal``: windows."""

from dotori.signal import windows as windows
