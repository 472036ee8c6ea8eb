//! The framed tunnel: a gate and message faults per directed link.
