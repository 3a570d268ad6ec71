//! The targets, by where their bytes come from.

mod answers;
mod cabinet;
mod cameras;
mod catalog;
mod certificates;
mod configuration;
mod courier;
mod devices;
mod gateway;
mod local;
mod numbers;
mod page_and_card;
mod poison;
#[cfg(feature = "printed")]
mod printed;
mod records;
mod repository;
mod rows;
mod screen;
mod seals;
mod signed;
mod speaker;
mod store;
mod tpm;
mod vendor;

use crate::{Part, Target};

pub(crate) fn parts() -> Vec<Part> {
    let part =
        |name, targets: Vec<Vec<Target>>| Part { name, targets: targets.into_iter().flatten().collect() };
    #[cfg(feature = "printed")]
    let printed = vec![printed::targets()];
    #[cfg(not(feature = "printed"))]
    let printed = Vec::new();
    vec![
        part(
            "protocol",
            vec![
                records::targets(),
                signed::targets(),
                seals::targets(),
                local::targets(),
                courier::targets(),
            ],
        ),
        part("core", vec![numbers::targets()]),
        part("catalog", vec![catalog::targets()]),
        part(
            "device",
            vec![
                devices::targets(),
                cabinet::targets(),
                speaker::targets(),
                page_and_card::targets(),
                cameras::targets(),
                vendor::targets(),
                screen::targets(),
            ],
        ),
        part("store", vec![store::targets(), rows::targets()]),
        part("agent", vec![answers::targets(), repository::targets(), tpm::targets()]),
        part("gateway", vec![gateway::targets(), poison::targets()]),
        part("key", vec![certificates::targets(), configuration::targets()]),
        part("printed", printed),
    ]
}

pub(crate) fn reach() {
    catalog::reaches();
    page_and_card::reaches();
    cameras::reaches();
    rows::reaches();
    tpm::reaches();
    poison::reaches();
}

/// Bytes as text, where the product reads text; bytes that are none are shown as what a lenient reader makes of them.
fn as_text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
