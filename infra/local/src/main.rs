//! All functions as one program, which the local stack deploys: `local process_call` is the function `process_call`.
//!
//! After a change of a shared crate, linking it takes a tenth of what one program per function takes. An operator's `sam build` makes one
//! binary per function (docs/decisions/0094-build-once.md).

use std::process::exit;

/// The functions of each folder, without the console's, which waits for npm and is a program of its own.
const FOLDERS: [&[kit::Function]; 6] = [
    api_functions::FUNCTIONS,
    jobs_functions::FUNCTIONS,
    schedules_functions::FUNCTIONS,
    &[("live_socket", live_socket::serve)],
    web_functions::FUNCTIONS,
    webhooks_functions::FUNCTIONS,
];

fn main() -> Result<(), kit::Error> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let all = || FOLDERS.iter().copied().flatten();
    let Some((_, serve)) = all().find(|(known, _)| *known == name) else {
        let known: Vec<_> = all().map(|(known, _)| *known).collect();
        eprintln!("no function `{name}`; the functions are {}", known.join(", "));
        exit(2);
    };
    serve()
}
