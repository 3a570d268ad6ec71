//! The kinds of devices, one file each, of one shape: how the device is reached, what is asked of it, and `run`.

pub mod id_card;
