//! What the voice says: the words of fixed prompts ([`prompts`]), the text of each page ([`screens`]), and how words are
//! written for a synthesizer so that it reads them right ([`lexicon`]). All of it is data in `assets/voice`, part of the
//! program: a terminal cannot lose it. When something is said, the session decides.

pub mod lexicon;
pub mod prompts;
pub mod screens;
