//! The root of trust: whose keys count, and how many must agree.

use std::collections::HashMap;
use std::num::NonZeroU64;

use anyhow::{Context, Result, ensure};
use aws_lc_rs::rand::SystemRandom;
use jiff::Timestamp as Moment;
use tough::editor::signed::SignedRole;
use tough::schema::{KeyHolder, RoleKeys, Root, Signed};

use crate::keys::{Keys, Role};

/// Version of the standard that is written.
pub(crate) const SPEC: &str = "1.0.0";

/// How many root keys must agree.
const ROOT_THRESHOLD: u64 = 2;

/// The first root, which names the newest keys of every role.
pub(crate) fn first(expires: Moment, keys: &Keys) -> Result<Root> {
    let mut root = Root {
        spec_version: SPEC.into(),
        consistent_snapshot: true,
        version: NonZeroU64::MIN,
        expires,
        keys: HashMap::new(),
        roles: HashMap::new(),
        _extra: HashMap::new(),
    };
    for role in Role::ALL {
        name_newest(&mut root, role, keys)?;
    }
    Ok(root)
}

/// The root after another: the newest keys of one role, everyone else's as before, whether they are at hand or not.
pub(crate) fn after(before: &Root, role: Role, expires: Moment, keys: &Keys) -> Result<Root> {
    let mut root = before.clone();
    root.version = before.version.checked_add(1).context("no version comes after the last")?;
    root.expires = expires;
    name_newest(&mut root, role, keys)?;
    let named: Vec<_> = root.roles.values().flat_map(|role| role.keyids.clone()).collect();
    root.keys.retain(|id, _| named.contains(id));
    Ok(root)
}

fn name_newest(root: &mut Root, role: Role, keys: &Keys) -> Result<()> {
    let threshold = if role == Role::Root { ROOT_THRESHOLD } else { 1 };
    let mut keyids = Vec::new();
    for key in keys.newest(role)? {
        let key = key.tuf_key();
        let id = key.key_id()?;
        root.keys.insert(id.clone(), key);
        keyids.push(id);
    }
    let missing = || format!("the keys of {role:?} are not in {}", keys.folder().display());
    ensure!(keyids.len() as u64 >= threshold, missing());
    let threshold = NonZeroU64::new(threshold).context("a threshold is at least 1")?;
    root.roles.insert(role.role_type(), RoleKeys { keyids, threshold, _extra: HashMap::new() });
    Ok(())
}

/// Signs a root with its own keys and, when it follows another, with the other's as well.
pub(crate) async fn sign(root: Root, before: Option<&Signed<Root>>, keys: &Keys) -> Result<SignedRole<Root>> {
    let (sources, random) = (keys.sources()?, SystemRandom::new());
    let holder = KeyHolder::Root(root.clone());
    let mut signed = SignedRole::new(root.clone(), &holder, &sources, &random).await?;
    if let Some(before) = before {
        let holder = KeyHolder::Root(before.signed.clone());
        let by_old = SignedRole::new(root.clone(), &holder, &sources, &random).await?;
        signed = signed.add_old_signatures(by_old.signed().signatures.clone())?;
        let agreed = agreeing(signed.signed(), &before.signed);
        ensure!(agreed >= ROOT_THRESHOLD, "{agreed} of the old root's keys agree; {ROOT_THRESHOLD} must");
    }
    let agreed = agreeing(signed.signed(), &root);
    ensure!(agreed >= ROOT_THRESHOLD, "{agreed} of the root's keys agree; {ROOT_THRESHOLD} must");
    Ok(signed)
}

fn agreeing(signed: &Signed<Root>, by: &Root) -> u64 {
    let Some(role) = by.roles.get(&Role::Root.role_type()) else { return 0 };
    signed.signatures.iter().filter(|signature| role.keyids.contains(&signature.keyid)).count() as u64
}
