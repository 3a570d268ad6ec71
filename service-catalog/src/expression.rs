//! The part of CEL that conditions may use, checked when an item is loaded: known names only, option
//! values that exist, truth or falsehood as the result. What passes here can be evaluated later without
//! surprises, and a slip of the pen is named at once instead of hiding a question forever.

use crate::applicant::Document;
use crate::item::{Question, QuestionKind};
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators};
use cel::{Context, Value};
use thiserror::Error;

/// Operators and functions that are allowed. No loops and no arithmetic: no form has needed them.
const ALLOWED: [&str; 12] = [
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::CONDITIONAL,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::IN,
    "size",
];

/// What is wrong with a condition's words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ExpressionFault {
    #[error("it is longer than {limit} characters")]
    TooLong { limit: usize },
    #[error("it has more than {limit} opening brackets")]
    TooManyBrackets { limit: usize },
    #[error("it is nested more than {limit} deep")]
    TooDeep { limit: usize },
    #[error("it is not CEL: {message} (column {column})")]
    Syntax { message: String, column: isize },
    #[error(
        "`{name}` is not known; a condition can use answers.<question>, applicant.age, applicant.document and today"
    )]
    UnknownName { name: String },
    #[error(
        "`{name}` is not known; write size(answers.…), and combine with && || ! == != < <= > >= in ?: only"
    )]
    NotAllowed { name: String },
    #[error("answers.{question}: no question with this id comes before this condition")]
    UnknownQuestion { question: String },
    #[error(
        "answers.{question}: a condition can look at choice, choices, yes-no, date and number questions, not at {kind}"
    )]
    PersonalText { question: String, kind: &'static str },
    #[error("answers.{question} has no option \"{value}\"")]
    UnknownOption { question: String, value: String },
    #[error("answers.{question} holds several options; write \"value\" in answers.{question}")]
    SeveralOptions { question: String },
    #[error("applicant.document is never \"{value}\"")]
    UnknownDocument { value: String },
    #[error("it compares things of different kinds, or its result is not true or false")]
    NotATruth,
}

/// Evaluating needs some 40 KiB of stack for each level, and a stack that overflows kills the process.
pub(crate) const MAX_DEPTH: usize = 16;

/// Refuses an expression with more than [`MAX_DEPTH`] levels.
pub(crate) fn check_depth(expression: &IdedExpr) -> Result<(), ExpressionFault> {
    if is_deeper_than(expression, MAX_DEPTH) {
        return Err(ExpressionFault::TooDeep { limit: MAX_DEPTH });
    }
    Ok(())
}

fn is_deeper_than(node: &IdedExpr, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return true };
    match &node.expr {
        Expr::Call(call) => {
            call.args.iter().chain(call.target.as_deref()).any(|part| is_deeper_than(part, below))
        }
        Expr::List(list) => list.elements.iter().any(|part| is_deeper_than(part, below)),
        Expr::Select(select) => is_deeper_than(&select.operand, below),
        // Refused by name right after, so their depth does not matter.
        Expr::Comprehension(_) | Expr::Map(_) | Expr::Struct(_) => false,
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => false,
    }
}

/// What a condition sees of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerForm {
    /// A text; empty while it is not answered.
    Text,
    /// A list of texts; empty while it is not answered.
    List,
    /// A whole number; -1 while it is not answered.
    Number,
}

/// The facts that a condition looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Uses {
    /// Question ids, and what their answers are.
    pub(crate) answers: Vec<(String, AnswerForm)>,
    pub(crate) age: bool,
    pub(crate) document: bool,
    pub(crate) today: bool,
}

/// Checks the names and literals of `expression`; conditions may look at `questions` only.
pub(crate) fn check_names(expression: &IdedExpr, questions: &[Question]) -> Result<Uses, ExpressionFault> {
    let mut walk = Walk { questions, uses: Uses::default() };
    walk.visit(expression)?;
    Ok(walk.uses)
}

struct Walk<'a> {
    questions: &'a [Question],
    uses: Uses,
}

impl Walk<'_> {
    fn visit(&mut self, node: &IdedExpr) -> Result<(), ExpressionFault> {
        match &node.expr {
            Expr::Literal(_) => Ok(()),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.visit(element)),
            Expr::Ident(name) if name == "today" => {
                self.uses.today = true;
                Ok(())
            }
            Expr::Ident(name) => Err(ExpressionFault::UnknownName { name: name.clone() }),
            Expr::Select(select) => self.visit_select(select),
            Expr::Call(call) => self.visit_call(call),
            Expr::Comprehension(_) => Err(not_allowed("a loop")),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => Err(not_allowed("{}")),
        }
    }

    fn visit_select(&mut self, select: &SelectExpr) -> Result<(), ExpressionFault> {
        let root = match &select.operand.expr {
            Expr::Ident(name) => name.as_str(),
            _ => "…",
        };
        match (root, select.field.as_str()) {
            ("answers", id) => self.use_question(id),
            ("applicant", "age") => {
                self.uses.age = true;
                Ok(())
            }
            ("applicant", "document") => {
                self.uses.document = true;
                Ok(())
            }
            (root, field) => Err(ExpressionFault::UnknownName { name: format!("{root}.{field}") }),
        }
    }

    fn use_question(&mut self, id: &str) -> Result<(), ExpressionFault> {
        let question = find(self.questions, id)?;
        let form = match question.kind {
            QuestionKind::Choice | QuestionKind::YesNo | QuestionKind::Date => AnswerForm::Text,
            QuestionKind::Choices => AnswerForm::List,
            QuestionKind::Number => AnswerForm::Number,
            QuestionKind::Text
            | QuestionKind::Phone
            | QuestionKind::Photo
            | QuestionKind::Money
            | QuestionKind::Address => {
                let kind = question.kind.word();
                return Err(ExpressionFault::PersonalText { question: id.to_owned(), kind });
            }
        };
        let used = (id.to_owned(), form);
        if !self.uses.answers.contains(&used) {
            self.uses.answers.push(used);
        }
        Ok(())
    }

    fn visit_call(&mut self, call: &CallExpr) -> Result<(), ExpressionFault> {
        if call.target.is_some() || !ALLOWED.contains(&call.func_name.as_str()) {
            return Err(not_allowed(call.func_name.trim_matches('_')));
        }
        call.args.iter().try_for_each(|argument| self.visit(argument))?;
        if let [left, right] = call.args.as_slice() {
            match call.func_name.as_str() {
                operators::EQUALS | operators::NOT_EQUALS => {
                    self.check_equality(left, right)?;
                    self.check_equality(right, left)?;
                }
                operators::IN => self.check_membership(left, right)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// `answers.kind == "noise"`: the option must exist.
    fn check_equality(&self, fact: &IdedExpr, other: &IdedExpr) -> Result<(), ExpressionFault> {
        if selected(fact, "applicant") == Some("document") {
            return check_documents(&literals(other));
        }
        let Some(id) = selected(fact, "answers") else { return Ok(()) };
        let question = find(self.questions, id)?;
        match question.kind {
            QuestionKind::Choices => Err(ExpressionFault::SeveralOptions { question: id.to_owned() }),
            QuestionKind::Choice | QuestionKind::YesNo => check_options(question, &literals(other)),
            QuestionKind::Number if !literals(other).is_empty() => Err(ExpressionFault::NotATruth),
            QuestionKind::Text
            | QuestionKind::Phone
            | QuestionKind::Date
            | QuestionKind::Photo
            | QuestionKind::Number
            | QuestionKind::Money
            | QuestionKind::Address => Ok(()),
        }
    }

    /// `"elder" in answers.who` and `answers.kind in ["noise", "road"]`.
    fn check_membership(&self, element: &IdedExpr, list: &IdedExpr) -> Result<(), ExpressionFault> {
        if let Some(id) = selected(list, "answers") {
            return check_options(find(self.questions, id)?, &literals(element));
        }
        self.check_equality(element, list)
    }
}

fn not_allowed(name: &str) -> ExpressionFault {
    ExpressionFault::NotAllowed { name: name.to_owned() }
}

fn find<'q>(questions: &'q [Question], id: &str) -> Result<&'q Question, ExpressionFault> {
    let found = questions.iter().find(|question| question.id == id);
    found.ok_or_else(|| ExpressionFault::UnknownQuestion { question: id.to_owned() })
}

fn check_options(question: &Question, values: &[&str]) -> Result<(), ExpressionFault> {
    // The empty text stands for "not answered".
    let known = |value: &str| value.is_empty() || question.options.iter().any(|option| option.value == value);
    match values.iter().find(|value| !known(value)) {
        None => Ok(()),
        Some(value) => {
            Err(ExpressionFault::UnknownOption { question: question.id.clone(), value: (*value).to_owned() })
        }
    }
}

fn check_documents(values: &[&str]) -> Result<(), ExpressionFault> {
    match values.iter().find(|value| Document::from_word(value).is_none()) {
        None => Ok(()),
        Some(value) => Err(ExpressionFault::UnknownDocument { value: (*value).to_owned() }),
    }
}

/// `field` of `root.field`.
fn selected<'e>(node: &'e IdedExpr, root: &str) -> Option<&'e str> {
    match &node.expr {
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(name) if name == root => Some(&select.field),
            _ => None,
        },
        _ => None,
    }
}

/// The texts that are written out in a literal or a list of literals.
fn literals(node: &IdedExpr) -> Vec<&str> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => vec![text.inner()],
        Expr::List(list) => list.elements.iter().flat_map(literals).collect(),
        _ => Vec::new(),
    }
}

/// Evaluates every part that decides (the sides of && and ||, the branches of ?:) by itself, so that a
/// part which the first facts would skip is tried as well. Each must be true or false.
pub(crate) fn check_truth(expression: &IdedExpr, trial: &Context) -> Result<(), ExpressionFault> {
    if let Expr::Call(call) = &expression.expr {
        match call.func_name.as_str() {
            operators::LOGICAL_AND
            | operators::LOGICAL_OR
            | operators::LOGICAL_NOT
            | operators::CONDITIONAL => {
                return call.args.iter().try_for_each(|part| check_truth(part, trial));
            }
            _ => {}
        }
    }
    match Value::resolve(expression, trial) {
        Ok(Value::Bool(_)) => Ok(()),
        Ok(_) | Err(_) => Err(ExpressionFault::NotATruth),
    }
}

/// `answers.x == "v"` or `answers.x in ["v", …]` as the whole condition, as a JSON Schema can say it.
pub(crate) fn as_option_set(expression: &IdedExpr) -> Option<(String, Vec<String>)> {
    let Expr::Call(call) = &expression.expr else { return None };
    let [left, right] = call.args.as_slice() else { return None };
    let (fact, values) = match (call.func_name.as_str(), selected(left, "answers")) {
        (operators::EQUALS, Some(id)) => (id, right),
        (operators::EQUALS, None) => (selected(right, "answers")?, left),
        (operators::IN, Some(id)) => (id, right),
        _ => return None,
    };
    let values = literals(values);
    // "" means "not answered", which is an absent key in JSON: left to the second step of validation.
    let plain = !values.is_empty() && values.iter().all(|value| !value.is_empty());
    plain.then(|| (fact.to_owned(), values.into_iter().map(str::to_owned).collect()))
}
