//! The whole of a vendor library's way: `VendorLibrary` → `device-host` → a library compiled here, which does what
//! makers' libraries do.

mod calls;
mod confinement;
mod life;
mod loading;
mod losses;
mod photo;
mod workshop;
