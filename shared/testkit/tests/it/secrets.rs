//! Secrets and message texts stay out of the logs.

use std::fmt::{Debug, Display};

use access::shared_app::AppSecrets;
use domain::tenants::twilio::SharedKey;
use domain::tenants::{Credential, Credentials, Kept, NewConnection, SendSecrets, VerifySecrets};

use crate::repository::{read, rust_files};

/// A type that implements Debug has two of these, so naming one is ambiguous and does not compile.
trait CannotBePrinted<Why> {
    fn cannot_be_printed() {}
}

struct Always;
struct Debugs;
struct Displays;

impl<T: ?Sized> CannotBePrinted<Always> for T {}
impl<T: ?Sized + Debug> CannotBePrinted<Debugs> for T {}
impl<T: ?Sized + Display> CannotBePrinted<Displays> for T {}

#[test]
fn secrets_cannot_be_printed() {
    // If this does not compile, somebody derived Debug on a type that holds secrets.
    <VerifySecrets as CannotBePrinted<_>>::cannot_be_printed();
    <SendSecrets as CannotBePrinted<_>>::cannot_be_printed();
    <SharedKey as CannotBePrinted<_>>::cannot_be_printed();
    <Credential as CannotBePrinted<_>>::cannot_be_printed();
    <Credentials as CannotBePrinted<_>>::cannot_be_printed();
    <NewConnection as CannotBePrinted<_>>::cannot_be_printed();
    <Kept as CannotBePrinted<_>>::cannot_be_printed();
    <AppSecrets as CannotBePrinted<_>>::cannot_be_printed();
}

#[test]
fn a_sealed_secret_prints_as_nothing_but_its_name() {
    let sealed = domain::tenants::Sealed("c2VjcmV0".to_owned());
    assert_eq!(format!("{sealed:?}"), "Sealed");
}

/// A function logs everything through the kit's one line, which has no field for texts or numbers.
#[test]
fn only_the_kit_writes_to_the_log() {
    for file in rust_files() {
        let writes = ["functions/", "shared/"].iter().any(|room| file.starts_with(room));
        // A build script speaks to cargo.
        let elsewhere = file.contains("/tests/") || file.ends_with("/build.rs");
        if !writes || file.starts_with("shared/kit/") || elsewhere {
            continue;
        }
        for (index, line) in read(file).lines().enumerate() {
            for printing in ["println!(", "eprintln!(", "print!(", "eprint!("] {
                assert!(!line.contains(printing), "{file}:{}: {printing}", index + 1);
            }
        }
    }
}
