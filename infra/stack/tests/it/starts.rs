//! Every function starts.

use anyhow::{Context as _, ensure};
use stack::bench::start::{Binary, measure};
use stack::build::{self, Builder};
use stack::template;
use stack::tools::Tools;

use crate::stage::on_stage;

/// With what the template gives them outside the local stage, in a first deploy: with the defaults of all parameters.
#[test]
fn every_function_starts_with_the_templates_variables() {
    on_stage(async |stage| {
        let place = &stage.place;
        let tools = Tools::set_up(place).await?;
        let expanded = template::expand_template(place, &tools).await?;
        let expanded = serde_json::from_slice(&expanded).context("reading the expanded template")?;
        let functions = build::functions(&place.root)?;
        let builder = Builder::new(place.clone(), tools, stage.play.endpoints.profile);
        let binaries = Binary::all(&functions, &builder, &expanded);
        for Binary { name, variables, .. } in &binaries {
            let stage = variables.get("STAGE").map(String::as_str);
            ensure!(stage == Some("dev"), "{name}: {variables:?}");
        }
        // Each once: the first round is not counted.
        tokio::task::spawn_blocking(move || measure(&binaries, 0)).await??;
        Ok(())
    });
}
