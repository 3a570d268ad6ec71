//! The keys that sign: three for the root, of which two must agree and which belong in a safe, and one each for
//! targets, snapshot and timestamp.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use tough::key_source::{KeySource, LocalKeySource};
use tough::schema::RoleType;
use tough::sign::{Sign, parse_keypair};

use crate::files;

/// How many root keys are made.
const ROOT_KEYS: u32 = 3;

/// Whose keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Says whose keys count; signs only when keys change.
    Root,
    /// Says which files make up the catalog.
    Targets,
    /// Says which versions belong together.
    Snapshot,
    /// Says which is the newest, for some days at a time.
    Timestamp,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Role::Root, Role::Targets, Role::Snapshot, Role::Timestamp];

    pub(crate) fn role_type(self) -> RoleType {
        match self {
            Role::Root => RoleType::Root,
            Role::Targets => RoleType::Targets,
            Role::Snapshot => RoleType::Snapshot,
            Role::Timestamp => RoleType::Timestamp,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Role::Root => "root",
            Role::Targets => "targets",
            Role::Snapshot => "snapshot",
            Role::Timestamp => "timestamp",
        }
    }

    fn of_file(name: &str) -> Option<Self> {
        let (word, _) = name.strip_suffix(".pk8")?.split_once('-')?;
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// A folder of keys: `root-1.pk8`, `targets-1.pk8` and so on, Ed25519 in PKCS#8.
#[derive(Clone, Debug)]
pub struct Keys {
    folder: PathBuf,
}

impl Keys {
    /// Uses a folder, which may be empty or missing. A folder others can read is refused, and so is one under version
    /// control.
    pub fn open(folder: &Path) -> Result<Self> {
        files::private_folder(folder)?;
        let folder = folder.canonicalize()?;
        let mode = fs::metadata(&folder)?.mode() & 0o777;
        ensure!(
            mode & 0o077 == 0,
            "others can enter {} (mode {mode:o}); keys need a folder of their own: chmod 700",
            folder.display()
        );
        if let Some(tree) = folder.ancestors().find(|ancestor| ancestor.join(".git").exists()) {
            bail!("{} is under version control ({}); keys must not be", folder.display(), tree.display());
        }
        Ok(Self { folder })
    }

    /// Where the keys lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.found()?.is_empty())
    }

    /// Makes the first keys of every role.
    pub fn make_all(&self) -> Result<()> {
        ensure!(self.is_empty()?, "there are keys in {} already", self.folder.display());
        for role in Role::ALL {
            self.make(role)?;
        }
        Ok(())
    }

    /// Makes new keys for a role beside the old ones.
    pub(crate) fn make(&self, role: Role) -> Result<()> {
        let taken = self.numbers(role)?.last().copied().unwrap_or(0);
        let count = if role == Role::Root { ROOT_KEYS } else { 1 };
        for number in taken + 1..=taken + count {
            let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
            let path = self.folder.join(format!("{}-{number}.pk8", role.word()));
            files::write_secret(&path, key.as_ref())?;
        }
        Ok(())
    }

    /// The newest keys of a role: three of the root's, one of the others'. Root keys that are in their safe are
    /// simply not there.
    pub(crate) fn newest(&self, role: Role) -> Result<Vec<Box<dyn Sign>>> {
        let count = if role == Role::Root { ROOT_KEYS as usize } else { 1 };
        let numbers = self.numbers(role)?;
        let newest = numbers.iter().rev().take(count).rev();
        newest.map(|number| self.read(&format!("{}-{number}.pk8", role.word()))).collect()
    }

    fn read(&self, name: &str) -> Result<Box<dyn Sign>> {
        let path = self.folder.join(name);
        let bytes = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let key = parse_keypair(&bytes).with_context(|| format!("{} is no key", path.display()))?;
        Ok(Box::new(key))
    }

    /// Every key, to sign with; the library picks those that a role wants.
    pub(crate) fn sources(&self) -> Result<Vec<Box<dyn KeySource>>> {
        let source = |name: String| -> Box<dyn KeySource> {
            Box::new(LocalKeySource { path: self.folder.join(name) })
        };
        Ok(self.found()?.into_iter().map(source).collect())
    }

    fn numbers(&self, role: Role) -> Result<Vec<u32>> {
        let number = |name: String| {
            name.strip_prefix(role.word())?.strip_prefix('-')?.strip_suffix(".pk8")?.parse().ok()
        };
        let mut numbers: Vec<u32> = self.found()?.into_iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn found(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            if let Ok(name) = entry?.file_name().into_string()
                && Role::of_file(&name).is_some()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}
