//! The HTML of the operators' pages, without scripts. Every value is escaped on its way in.

pub(super) mod accounts;
pub(super) mod aside;
pub(super) mod audit;
pub(super) mod case;
pub(super) mod door;
pub(super) mod follow_up;
pub(super) mod inbox;
pub(super) mod keeper;
pub(super) mod layout;
pub(super) mod qr;
pub(super) mod queues;
pub(super) mod terminals;
pub(super) mod troubles;
pub(super) mod undelivered;
pub(super) mod words;
