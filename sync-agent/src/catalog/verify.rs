//! Whether a repository's newest catalog may be taken over: signatures by the library, and by us what it cannot know
//! (our lower bounds, our time, our limits).
//!
//! The library is told not to look at the clock at all: it knows only the wall clock, and refuses to work for ever
//! after that clock once ran ahead.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tough::schema::{Signed, Targets};
use tough::{ExpirationEnforcement, Limits, Repository, RepositoryLoader, TargetName};
use url::Url;

use super::error::CatalogError;
use super::folder::Wanted;
use super::source::{LONGEST_FILE, METADATA, Source, TARGETS, is_plain_path};
use super::time::DAY_MS;
use super::trust::{Floor, Trust, hex, online_keys, root_version};

/// Most files in a catalog.
const MOST_FILES: usize = 2000;

/// Most bytes in a catalog.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

const LIMITS: Limits = Limits {
    max_root_size: 512 * 1024,
    max_targets_size: LONGEST_FILE as u64,
    max_timestamp_size: 64 * 1024,
    max_snapshot_size: 1024 * 1024,
    max_root_updates: 1024,
};

/// A catalog that may be taken over.
pub(crate) struct Verified {
    /// Its number: the version of its targets.
    pub(crate) number: u64,
    /// Its files.
    pub(crate) files: Vec<(TargetName, Wanted)>,
    /// What to remember once it is here.
    pub(crate) trust: Trust,
    /// Its signed life.
    pub(crate) life: Life,
    repository: Repository,
    source: Source,
}

/// From when to when a catalog counts as fresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Life {
    /// When the city made it, as the city wrote it; empty when it did not.
    pub(crate) published: String,
    /// After this moment it is stale, milliseconds since 1970.
    pub(crate) expires_ms: i64,
}

/// A repository that brought no catalog.
pub(crate) struct Rejected {
    /// Why.
    pub(crate) error: CatalogError,
    /// A newer root that was verified on the way; it is remembered whatever came after it.
    pub(crate) learnt: Option<Box<Trust>>,
}

impl From<CatalogError> for Rejected {
    fn from(error: CatalogError) -> Self {
        Self { error, learnt: None }
    }
}

/// Reads and judges a repository's newest catalog. `installed` is the number in use; `scratch` an empty folder.
pub(crate) async fn verify(
    source: &Source,
    trust: &Trust,
    installed: Option<u64>,
    at_least_ms: i64,
    scratch: &Path,
) -> Result<Verified, Rejected> {
    for (name, text) in files_of(trust) {
        if let Some(text) = text {
            fs::write(scratch.join(name), text).map_err(CatalogError::from)?;
        }
    }
    let base = |address| Url::parse(address).expect("a constant that parses");
    let loader = RepositoryLoader::new(&trust.root, base(METADATA), base(TARGETS))
        .transport(source.clone())
        .limits(LIMITS)
        .datastore(scratch)
        .expiration_enforcement(ExpirationEnforcement::Unsafe);
    let judged = match loader.load().await {
        Ok(repository) => {
            let judge = Judge { trust, installed, at_least_ms, scratch };
            judge.judge(repository, source)
        }
        Err(error) => Err(explain(source, error)),
    };
    judged.map_err(|error| Rejected { error, learnt: learnt_root(scratch, trust) })
}

fn files_of(trust: &Trust) -> [(&'static str, Option<&String>); 3] {
    [
        ("timestamp.json", trust.timestamp.as_ref()),
        ("snapshot.json", trust.snapshot.as_ref()),
        ("targets.json", trust.targets.as_ref()),
    ]
}

/// An error of the library, or what went wrong below it.
fn explain(source: &Source, error: tough::error::Error) -> CatalogError {
    match source.trouble() {
        Some(trouble) => CatalogError::Unreachable(trouble),
        None => error.into(),
    }
}

/// The newest root the library verified, when it is newer than the remembered one. The library removes what was
/// signed by keys the city has changed since; that is taken over too.
fn learnt_root(scratch: &Path, trust: &Trust) -> Option<Box<Trust>> {
    let root = fs::read_to_string(scratch.join("root.json")).ok()?;
    let version = root_version(&root)?;
    if version <= root_version(&trust.root)? {
        return None;
    }
    let mut learnt = Trust { root, ..trust.clone() };
    learnt.floor.root = learnt.floor.root.max(version);
    if !scratch.join("snapshot.json").exists() {
        (learnt.timestamp, learnt.snapshot) = (None, None);
    }
    Some(Box::new(learnt))
}

struct Judge<'a> {
    trust: &'a Trust,
    installed: Option<u64>,
    at_least_ms: i64,
    scratch: &'a Path,
}

impl Judge<'_> {
    fn judge(&self, repository: Repository, source: &Source) -> Result<Verified, CatalogError> {
        let floor = Floor {
            root: repository.root().signed.version.get(),
            timestamp: repository.timestamp().signed.version.get(),
            snapshot: repository.snapshot().signed.version.get(),
            targets: repository.targets().signed.version.get(),
            online_keys: online_keys(&repository.root().signed),
        };
        self.not_older(&floor)?;
        let number = floor.targets;
        let is_new = self.installed != Some(number) || floor.timestamp != self.trust.floor.timestamp;
        if is_new {
            self.not_expired(&repository)?;
        }
        let read = |name: &str| fs::read_to_string(self.scratch.join(name));
        let trust = Trust {
            root: read("root.json")?,
            timestamp: Some(read("timestamp.json")?),
            snapshot: Some(read("snapshot.json")?),
            targets: Some(read("targets.json")?),
            floor,
            city_ms: self.trust.city_ms,
        };
        self.not_contradicting(&trust, number)?;
        let files = files_in(&repository)?;
        let life = life_of(&repository);
        Ok(Verified { number, files, trust, life, repository, source: source.clone() })
    }

    fn not_older(&self, offered: &Floor) -> Result<(), CatalogError> {
        let known = &self.trust.floor;
        let number = known.targets.max(self.installed.unwrap_or(0));
        let mut bounds = vec![("root", known.root, offered.root), ("number", number, offered.targets)];
        if known.online_keys == offered.online_keys {
            bounds.push(("timestamp", known.timestamp, offered.timestamp));
            bounds.push(("snapshot", known.snapshot, offered.snapshot));
        }
        match bounds.into_iter().find(|(_, known, offered)| offered < known) {
            Some((what, known, offered)) => Err(CatalogError::Older { what, known, offered }),
            None => Ok(()),
        }
    }

    /// Against the lower bound of the time, never against the wall clock: what is refused here has certainly expired.
    fn not_expired(&self, repository: &Repository) -> Result<(), CatalogError> {
        for (role, expires_ms) in expiries(repository) {
            if expires_ms < self.at_least_ms {
                let days = (self.at_least_ms - expires_ms) / DAY_MS;
                return Err(CatalogError::Expired { role, days });
            }
        }
        Ok(())
    }

    /// The same number must mean the same catalog for ever.
    fn not_contradicting(&self, offered: &Trust, number: u64) -> Result<(), CatalogError> {
        let read = |trust: &Trust| serde_json::from_str::<Signed<Targets>>(trust.targets.as_ref()?).ok();
        match (read(self.trust), read(offered)) {
            (Some(known), Some(offered))
                if known.signed.version == offered.signed.version && known.signed != offered.signed =>
            {
                Err(CatalogError::Contradiction(number))
            }
            _ => Ok(()),
        }
    }
}

fn expiries(repository: &Repository) -> [(&'static str, i64); 4] {
    [
        ("root", repository.root().signed.expires.as_millisecond()),
        ("timestamp", repository.timestamp().signed.expires.as_millisecond()),
        ("snapshot", repository.snapshot().signed.expires.as_millisecond()),
        ("targets", repository.targets().signed.expires.as_millisecond()),
    ]
}

fn life_of(repository: &Repository) -> Life {
    let published = repository.targets().signed._extra.get("x-published").and_then(|value| value.as_str());
    // A word of the city's, but one that goes to a screen: a date and nothing else.
    let is_date = |text: &&str| {
        text.len() <= 30 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'T' | b'Z'))
    };
    Life {
        published: published.filter(is_date).unwrap_or_default().to_owned(),
        expires_ms: expiries(repository).into_iter().map(|(_, ms)| ms).min().unwrap_or(i64::MAX),
    }
}

/// Every file of the catalog, delegated ones included.
fn files_in(repository: &Repository) -> Result<Vec<(TargetName, Wanted)>, CatalogError> {
    let mut files = BTreeMap::new();
    let mut bytes = 0_u64;
    for (name, _) in repository.all_targets() {
        // Which of several delegations speaks for a name, the search decides.
        let Ok(target) = repository.targets().signed.find_target(name, false) else { continue };
        let path = name.raw();
        if !is_plain_path(path) || path == "floor.json" {
            return Err(CatalogError::Name);
        }
        let wanted =
            Wanted { name: path.to_owned(), length: target.length, sha256: hex(&target.hashes.sha256) };
        if files.insert(path.to_owned(), (name.clone(), wanted)).is_none() {
            bytes = bytes.saturating_add(target.length);
        }
        if files.len() > MOST_FILES || bytes > MOST_BYTES {
            return Err(CatalogError::TooLarge);
        }
    }
    Ok(files.into_values().collect())
}

impl Verified {
    /// Fetches one file; what comes back has the signed length and hash.
    pub(crate) async fn fetch(&self, name: &TargetName) -> Result<Vec<u8>, CatalogError> {
        use tough::IntoVec;
        let explain = |error| explain(&self.source, error);
        let stream = self.repository.read_target(name).await.map_err(explain)?;
        let Some(stream) = stream else { return Err(CatalogError::Name) };
        stream.into_vec().await.map_err(explain)
    }
}
