//! The engines as the keyboard will meet them: the contract, known words, hostile input, lost children, traces.
//!
//! librime can be opened once in a process, so a test that opens it has a process of its own (nextest gives it one).

mod accuracy;
mod contract;
mod drawn;
mod hostile;
mod lost_child;
mod messages;
mod recent;
mod surroundings;
mod traces;
mod words;
