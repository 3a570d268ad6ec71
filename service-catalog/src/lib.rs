//! Service items (事项) as data: read from TOML, checked when they are loaded, offered to the kiosk as a
//! form and to the gateway as a JSON Schema, so that both judge an answer by the same rules.
//!
//! **What is absent.** No item is known here by name: adding one adds no Rust. No file is opened
//! except by [`Catalog::load`], and none is written. No clock: the calendar day is always an argument.
//! No answer of a resident is kept, logged or put into an error: reasons name fields and rules, never
//! values. Conditions are CEL, but a small part of it: they cannot loop, cannot call out, and cannot
//! look at free text or telephone numbers.

mod amount;
mod answer;
mod applicant;
mod areas;
mod condition;
mod day;
mod expression;
mod fetch;
mod fetch_rules;
mod file;
mod folder;
mod item;
#[cfg(test)]
mod kinds_tests;
mod load;
mod outcome;
mod outcome_rules;
mod problem;
mod rules;
mod schema;
mod shape_rules;
mod text;
mod validate;

pub use amount::Amount;
pub use answer::{AnswerProblem, check_answer, phone_is_valid};
pub use applicant::{Document, number_is_valid};
pub use areas::{Areas, REST_MAX_CHARS, Town};
pub use condition::{ApplicantFacts, Condition, ConditionError, Facts};
pub use day::{DayLimit, date_in_range, day_in_china, iso, parse_day};
pub use fetch::{Fetch, FetchFault, Field, FieldKind, Values, day as shown_day};
pub use folder::{current_folder, folders};
pub use item::{
    Choice, Consent, Eligibility, FollowUp, Guide, Identify, OptionsFrom, Prefill, Question, QuestionKind,
    ServiceItem, Shape, Way,
};
pub use load::{Catalog, RejectedItem};
pub use outcome::{Outcome, Place, Verdict};
pub use schema::json_schema;
pub use text::{Language, Text};
pub use validate::{FormCheck, validate, validate_on};
