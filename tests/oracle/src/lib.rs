//! The conservation oracle: several terminals with true `sync-agent` processes, two true `city-gateway` processes on
//! one true PostgreSQL, and between them a network that does everything networks do. Processes are killed and paused,
//! disks fill up, the database is put back from an older copy. Then everything heals, and the books are compared:
//! whatever a terminal finalised is in the city exactly once, with the same hash and with its blobs, and nothing else.
//!
//! One seed drives the choice of faults. Which byte of which record is under way at that moment is the machine's
//! choice, so a seed finds the same kind of day again, not the same instant.
//!
//! ```text
//!  feeder ─► outbox.db, blobs/ ─► sync-agent ══ TLS ══► proxy ═════► city-gateway ×2 ─► PostgreSQL, blobs
//!  (the kiosk's store,            (true program)        (weather)    (true programs)    (true server)
//!   says what it finalised)
//! ```
//!
//! Deliberately absent: any part of the product in this process that takes part in delivering. The judge reads
//! the terminals' files with the store's readers, the city's with `psql` and from the blob folder.

pub mod authority;
pub mod books;
pub mod city;
pub mod deck;
pub mod failing_disk;
pub mod feeder;
pub mod impostor;
pub mod incidents;
pub mod judge;
pub mod privileged;
pub mod program;
pub mod proxy;
pub mod small_disk;
pub mod terminal;
pub mod weather;
pub mod world;
