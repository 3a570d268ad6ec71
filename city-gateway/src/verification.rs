//! The page behind the code on a document: `GET /d/{stamp}`. It says whether the city signed this and stands by it, and
//! shows what was signed, to be compared with the paper. `GET /d/keys.pem` hands out the public keys, so that anybody can
//! check without asking.
//!
//! Deliberately absent: anything that is not in the stamp which the visitor brought, but whether it is on record.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use service_catalog::{Catalog, Language, Text};
use sync_protocol::{DocumentPublicKey, Stamp, StampFault};

use crate::budgets::Shares;
use crate::desk::Clock;
use crate::fetch::fingerprint;
use crate::pages::{Beijing, Escaped, document_page, push};
use crate::refusal::Refusal;
use crate::store::StoreError;
use crate::store::issued::IssuedDocuments;

/// Looks at once from one address; then one in two seconds.
const LOOKS: f64 = 60.0;
const LOOKS_PER_SECOND: f64 = 0.5;

/// What checks documents.
pub(crate) struct Verification {
    pub(crate) keys: Vec<DocumentPublicKey>,
    pub(crate) store: Arc<dyn IssuedDocuments>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) clock: Clock,
    /// Says on the page that people and figures are made up.
    pub(crate) demo: bool,
    shares: Shares,
}

/// What came out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Signed by the city, on record, and not at its end.
    Genuine(Box<Stamp>),
    /// It was, but its time is over.
    Ended(Box<Stamp>),
    /// The city took it back at this time.
    Revoked(Box<Stamp>, i64),
    /// The signature is right, but the city has no record of it.
    NotOnRecord(Box<Stamp>),
    /// Something that looks like a stamp, which the city did not sign.
    Altered,
    /// No stamp at all.
    NotACode,
}

impl Verification {
    pub(crate) fn new(
        keys: Vec<DocumentPublicKey>,
        store: Arc<dyn IssuedDocuments>,
        catalog: Arc<Catalog>,
        clock: Clock,
        demo: bool,
    ) -> Self {
        Self { keys, store, catalog, clock, demo, shares: Shares::new(LOOKS_PER_SECOND, LOOKS) }
    }

    /// What is true of this stamp now.
    pub(crate) async fn find(&self, text: &str) -> Result<Finding, StoreError> {
        let stamp = match Stamp::read(text, &self.keys) {
            Ok(stamp) => Box::new(stamp),
            Err(StampFault::NotSigned) => return Ok(Finding::Altered),
            Err(StampFault::NotAStamp) => return Ok(Finding::NotACode),
        };
        let known = self.store.issued(&stamp.number.to_string()).await?;
        let known = known.filter(|document| document.stamp_sha256 == fingerprint(text));
        let ended = (self.clock)() >= stamp.valid_until_s() * 1000;
        Ok(match known {
            Some(document) if let Some(at_ms) = document.revoked_at_ms => Finding::Revoked(stamp, at_ms),
            // Some time after its end a document is not on record any more.
            _ if ended => Finding::Ended(stamp),
            Some(_) => Finding::Genuine(stamp),
            None => Finding::NotOnRecord(stamp),
        })
    }
}

/// The routes.
pub(crate) fn router(verification: Arc<Verification>) -> Router {
    Router::new().route("/d/keys.pem", get(keys)).route("/d/{stamp}", get(verify)).with_state(verification)
}

/// The public halves of the keys, the newest first.
async fn keys(State(verification): State<Arc<Verification>>) -> Response {
    let pem: String = verification.keys.iter().map(DocumentPublicKey::to_pem).collect();
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/x-pem-file"))], pem).into_response()
}

#[derive(Deserialize)]
struct Format {
    format: Option<String>,
}

async fn verify(
    State(verification): State<Arc<Verification>>,
    Path(stamp): Path<String>,
    Query(Format { format }): Query<Format>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Refusal> {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let from = from.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip());
    if let Some(seconds) = verification.shares.take(&from.to_string()) {
        return Err(Refusal::Share { seconds, why: "more looks than one address has" });
    }
    let finding = verification.find(&stamp).await?;
    let status = match finding {
        Finding::Genuine(_) => StatusCode::OK,
        Finding::Ended(_) | Finding::Revoked(..) => StatusCode::GONE,
        Finding::NotOnRecord(_) | Finding::Altered | Finding::NotACode => StatusCode::NOT_FOUND,
    };
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if format.as_deref() == Some("json") || accepts.starts_with("application/json") {
        return Ok((status, Json(as_json(&verification.catalog, &finding))).into_response());
    }
    Ok((status, Html(page(&verification, &finding))).into_response())
}

impl Finding {
    fn word(&self) -> &'static str {
        match self {
            Self::Genuine(_) => "genuine",
            Self::Ended(_) => "ended",
            Self::Revoked(..) => "revoked",
            Self::NotOnRecord(_) => "not_on_record",
            Self::Altered => "altered",
            Self::NotACode => "not_a_code",
        }
    }

    fn stamp(&self) -> Option<&Stamp> {
        match self {
            Self::Genuine(stamp)
            | Self::Ended(stamp)
            | Self::Revoked(stamp, _)
            | Self::NotOnRecord(stamp) => Some(stamp),
            Self::Altered | Self::NotACode => None,
        }
    }
}

/// A fact that was signed: what it is called, and its value, each in Chinese and English.
struct Shown {
    label: (String, String),
    value: (String, String),
}

/// The facts in the words of the catalog, as far as it still has words for them.
fn shown(catalog: &Catalog, stamp: &Stamp) -> Vec<Shown> {
    let fetch = catalog.item(&stamp.item).and_then(|item| item.fetch.as_ref());
    let fields = fetch.map(|fetch| fetch.facts.as_slice()).unwrap_or_default();
    let both = |text: &Text| (text.zh_hans.clone(), text.en.clone());
    let facts = stamp.facts.iter().map(|(key, raw)| {
        let field = fields.iter().find(|field| field.key == *key);
        let plain = || (raw.clone(), String::new());
        let value = field
            .and_then(|field| Some((field.show(raw, Language::ZhHans)?, field.show(raw, Language::En)?)));
        Shown {
            label: field.map_or_else(|| (key.clone(), String::new()), |field| both(&field.label)),
            value: value.unwrap_or_else(plain),
        }
    });
    facts.collect()
}

fn as_json(catalog: &Catalog, finding: &Finding) -> Value {
    let Some(stamp) = finding.stamp() else { return json!({ "finding": finding.word() }) };
    let title = catalog.item(&stamp.item).and_then(|item| item.fetch.as_ref()).map(|fetch| &fetch.title);
    let facts: Vec<Value> =
        stamp.facts.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({
        "finding": finding.word(),
        "number": stamp.number.to_string(),
        "item": stamp.item,
        "title": title.map(|title| json!({ "zh-Hans": title.zh_hans, "zh-Hant": title.zh_hant, "en": title.en })),
        "issued_at_ms": stamp.issued_at_s * 1000,
        "valid_until_ms": stamp.valid_until_s() * 1000,
        "name": stamp.name,
        "person_number": stamp.person_number,
        "facts": facts,
        "rows": stamp.rows,
    })
}

/// What the page says of a finding: sign, its look, then Chinese and English, and what to do.
struct Words {
    sign: &'static str,
    look: &'static str,
    says: (&'static str, &'static str),
    then: (&'static str, &'static str),
}

fn words(finding: &Finding) -> Words {
    match finding {
        Finding::Genuine(_) => Words {
            sign: "✓",
            look: "good",
            says: ("是真的", "Genuine"),
            then: (
                "本市出具了这份证明。请逐项和纸上对一对：都一样，纸就没有被改过；有一处不一样，就不要相信。",
                "The city issued this. Compare it with the paper: if anything differs, do not trust the paper.",
            ),
        },
        Finding::Ended(_) => Words {
            sign: "!",
            look: "unknown",
            says: ("过期了", "No longer valid"),
            then: (
                "本市出具过这份证明，但是已经过了使用期限。请本人到自助终端重新打印一份。",
                "The city issued this, but its time is over. Please ask for a new one at a kiosk.",
            ),
        },
        Finding::Revoked(..) => Words {
            sign: "✕",
            look: "bad",
            says: ("已经作废", "Taken back"),
            then: (
                "本市出具过这份证明，后来把它作废了。请不要相信它。有疑问打 12345。",
                "The city issued this and has taken it back. Do not trust it. Questions: call 12345.",
            ),
        },
        Finding::NotOnRecord(_) => Words {
            sign: "!",
            look: "unknown",
            says: ("没有出具记录", "Not on record"),
            then: (
                "签名看起来是对的，但是本市没有出具它的记录，现在不能当真。请打 12345 核实。",
                "The signature fits, but the city has no record of it. Do not rely on it; call 12345.",
            ),
        },
        Finding::Altered => Words {
            sign: "✕",
            look: "bad",
            says: ("不是真的，或者被改过", "Not genuine, or altered"),
            then: (
                "本市没有签过这样的内容。请不要相信这张纸。有疑问打 12345。",
                "The city did not sign this. Do not trust the paper. Questions: call 12345.",
            ),
        },
        Finding::NotACode => Words {
            sign: "?",
            look: "unknown",
            says: ("码不完整", "The code is incomplete"),
            then: (
                "这个网址里没有完整的防伪码。请把纸放平，再扫一次；还是不行，打 12345。",
                "There is no whole code in this address. Lay the paper flat and scan again, or call 12345.",
            ),
        },
    }
}

fn page(verification: &Verification, finding: &Finding) -> String {
    let Words { sign, look, says, then } = words(finding);
    let mut html = String::with_capacity(4096);
    push(
        &mut html,
        format_args!(
            r#"<div class="sign {look}" aria-hidden="true">{sign}</div>
<h1>{}</h1><h2 lang="en">{}</h2>
<p class="then">{}<br><span lang="en">{}</span></p>"#,
            says.0, says.1, then.0, then.1
        ),
    );
    if verification.demo {
        html.push_str(
            r#"<p class="demo">演示：人和数字都是编的。<span lang="en">A demo: people and figures are made up.</span></p>"#,
        );
    }
    if let Some(stamp) = finding.stamp() {
        said(&mut html, verification, finding, stamp);
    }
    document_page(&html)
}

/// What was signed.
fn said(html: &mut String, verification: &Verification, finding: &Finding, stamp: &Stamp) {
    let catalog = &verification.catalog;
    let item = catalog.item(&stamp.item);
    let title = item.and_then(|item| item.fetch.as_ref()).map(|fetch| &fetch.title);
    let both = |text: Option<&Text>| text.map(|text| (text.zh_hans.clone(), text.en.clone()));
    let title = both(title).unwrap_or_else(|| (stamp.item.clone(), String::new()));
    let department = both(item.map(|item| &item.guide.department)).unwrap_or_default();
    html.push_str("<dl>");
    let mut row = |label: (&str, &str), value: (&str, &str), class: &str| {
        push(html, format_args!("<div><dt>{}", Escaped(label.0)));
        if !label.1.is_empty() {
            push(html, format_args!(r#" · <span lang="en">{}</span>"#, Escaped(label.1)));
        }
        push(html, format_args!(r#"</dt><dd class="{class}">{}"#, Escaped(value.0)));
        if !value.1.is_empty() && value.1 != value.0 {
            push(html, format_args!(r#"<span lang="en">{}</span>"#, Escaped(value.1)));
        }
        html.push_str("</dd></div>");
    };
    let number = stamp.number.to_string();
    row(("证明", "Document"), (&title.0, &title.1), "");
    row(("证明编号", "Number"), (&number, ""), "code");
    row(("姓名（只显示姓）", "Name, family name only"), (&stamp.name, ""), "");
    row(("证件号码（隐去中间）", "ID number, its ends only"), (&stamp.person_number, ""), "code");
    for fact in shown(catalog, stamp) {
        row((&fact.label.0, &fact.label.1), (&fact.value.0, &fact.value.1), "fact");
    }
    if stamp.rows > 0 {
        let (chinese, english) = (format!("{} 行", stamp.rows), format!("{} rows", stamp.rows));
        row(("明细表", "Table"), (&chinese, &english), "");
    }
    let (issued, until) =
        (Beijing(stamp.issued_at_s * 1000).to_string(), Beijing(stamp.valid_until_s() * 1000).to_string());
    row(("出具部门", "Issued by"), (&department.0, &department.1), "");
    row(("出具时间（北京时间）", "Issued, Beijing time"), (&issued, ""), "");
    row(("请在这之前使用", "Use it before"), (&until, ""), "");
    if let Finding::Revoked(_, at_ms) = finding {
        row(("作废时间", "Taken back"), (&Beijing(*at_ms).to_string(), ""), "");
    }
    html.push_str("</dl>");
}
