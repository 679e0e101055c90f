//! Files that customers send, and files of tenants.

use anyhow::{Context as _, Result, ensure};
use domain::{
    Timestamp,
    media::{Medium, MediumState},
};
use jobs::MediaJob;
use serde_json::json;
use store::TenantScope;

use super::{calls::filled, scope};
use crate::{
    api,
    endpoints::Tenant,
    iam::{Audit, Full},
    play::{Answer, new_phone},
};

const QUEUE: &str = "MediaQueueUrl";

impl Audit<'_> {
    /// A customer sends a picture, which is fetched.
    pub(super) async fn photographed(&self, business: &Tenant) -> Result<()> {
        api::send_picture(self.play, &business.id, &new_phone()?).await
    }

    /// The row of a new picture that is stored.
    async fn picture(&self, business: &Tenant) -> Result<(TenantScope, Medium)> {
        let scope = scope(business)?;
        let key = api::Proof::Key(business.api_key.clone());
        let message = api::photographed(self.play, &key).await?.parse()?;
        let known = self.play.store.medium(&scope, message, 0, Timestamp::now()).await?;
        Ok((scope, known.context("the picture has a row")?.medium))
    }

    /// Somebody gets a link to a new picture, in which the scanner then finds something.
    pub(super) async fn saw_a_picture(&self, business: &Tenant) -> Result<Answer> {
        let (_, medium) = self.picture(business).await?;
        let place = format!("/api/v1/messages/{}/media/0", medium.message);
        self.api(business, "GET", &place, None).await?;
        let verdict = json!({ "verdict": "harmful" });
        self.api(business, "POST", &format!("{place}/verdict"), Some(verdict))
            .await
    }

    /// The message of a picture is not kept any longer.
    pub(super) async fn forgot_a_picture(&self, business: &Tenant) -> Result<()> {
        let (scope, mut medium) = self.picture(business).await?;
        medium.kept_until = Timestamp::now();
        medium.due = Some(medium.kept_until);
        self.play.store.write_medium(&scope, &medium).await?;
        let job = MediaJob::fetch(scope.tenant(), &medium);
        self.queue(QUEUE, business, &job).await
    }

    /// As [`Audit::full_caller`], for a picture that is to be fetched.
    pub(super) async fn full_medium(&self, business: &Tenant) -> Result<()> {
        let (scope, mut medium) = self.picture(business).await?;
        (medium.state, medium.due) = (MediumState::Pending, None);
        (medium.mime, medium.bytes, medium.sha256) = (None, None, None);
        filled(async |text| {
            medium.correlation_id = text;
            self.play.store.write_medium(&scope, &medium).await
        })
        .await?;
        let job = MediaJob::Fetch {
            tenant: scope.tenant(),
            correlation_id: "iam".to_owned(),
            message: medium.message,
            index: 0,
        };
        self.full.lock().await.push((scope, Full::Medium(medium.message)));
        self.queue(QUEUE, business, &job).await
    }

    /// An asset is created, its file is uploaded, and checked. Returns its path, and the last answer.
    pub(super) async fn completed(&self, business: &Tenant) -> Result<(String, Answer)> {
        const FILE: &str = "What we have today.";
        let new = json!({ "name": "menu.txt", "content_type": "text/plain", "bytes": FILE.len() });
        let created = self.api(business, "POST", "/api/v1/assets", Some(new)).await?;
        ensure!(created.status == 201, "no asset: {} {}", created.status, created.body);
        let place = created.header("location").context("it says where it is")?.to_owned();
        let sent = api::upload(self.play, &api::json(&created)["upload"], FILE.to_owned()).await?;
        ensure!(sent.is_success(), "it is not uploaded: {sent}");
        let done = self.api(business, "POST", &format!("{place}/complete"), None).await?;
        Ok((place, done))
    }

    /// An asset is deleted with its file.
    pub(super) async fn asset_deleted(&self, business: &Tenant) -> Result<Answer> {
        let (place, _) = self.completed(business).await?;
        self.api(business, "DELETE", &place, None).await
    }

    /// An asset is uploaded to WhatsApp.
    pub(super) async fn asset_uploaded(&self, business: &Tenant) -> Result<()> {
        let asset = self.ready_asset(business).await?;
        let connection = business.connections.get("whatsapp");
        let job = MediaJob::Upload {
            tenant: scope(business)?.tenant(),
            correlation_id: "iam".to_owned(),
            asset,
            connection: connection.context("the business has WhatsApp")?.parse()?,
        };
        self.queue(QUEUE, business, &job).await
    }

    /// A product cannot have a picture that does not exist.
    pub(super) async fn not_pictured(&self, business: &Tenant) -> Result<()> {
        let body = json!({ "name": "Cake", "image": "ast_01hq5c1ynyc0000000000000ab" });
        let answer = self.api(business, "POST", "/api/v1/products", Some(body)).await?;
        ensure!(
            answer.status == 422,
            "it has a picture: {} {}",
            answer.status,
            answer.body
        );
        Ok(())
    }

    /// All of these, until each of them has come to use.
    pub(super) async fn media_and_assets(&self, business: &Tenant) -> Result<()> {
        let seen = self.saw_a_picture(business).await?;
        ensure!(seen.status == 200, "nobody judges a picture: {}", seen.body);
        self.forgot_a_picture(business).await?;
        self.asset_uploaded(business).await?;
        let deleted = self.asset_deleted(business).await?;
        ensure!(deleted.status == 204, "an asset stays: {}", deleted.body);
        self.not_pictured(business).await?;
        for (action, partition) in [("dynamodb:DeleteItem", "T#*#C#*"), ("dynamodb:PutItem", "T#*#ASSET")] {
            self.comes_to_use("fetch_media", action, partition).await?;
        }
        Ok(())
    }
}
