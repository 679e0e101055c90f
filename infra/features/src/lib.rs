//! Nothing but dependencies. Cargo compiles a crate once for each set of features that the selected packages request of it, and with it all
//! that depends on it: for the AWS SDK, minutes and gigabytes. `cargo stack` depends on this package, and selects it with whatever else it
//! builds, so that all of them are one set. What operators build with `sam build` does not know it.
//!
//! A test says what is missing here: `shared/testkit/tests/it/features.rs`.
