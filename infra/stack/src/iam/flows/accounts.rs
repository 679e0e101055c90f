//! Users, log-ins, and the platform with its tenants.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::{
    Timestamp,
    actor::{Actor, Stamp},
};
use serde_json::{Value, json};

use super::{PATIENCE, succeeded};
use crate::{api::log_in, endpoints::Tenant, iam::Audit, mails, play::Answer, secrets::random_hex};

/// Time for which an access token is reused, shorter than its validity.
const ACCESS_TOKEN: Duration = Duration::from_secs(300);

/// Password of users created here.
const PASSWORD: &str = "seven quiet lanterns";

impl Audit<'_> {
    /// A tenant's data is deleted.
    pub(super) async fn deleted(&self, business: &Tenant, again: bool) -> Result<()> {
        if !again {
            self.missed(business).await?;
            let own = business.id.trim_start_matches("tnt_");
            let bucket = self.output("PeopleFilesName")?;
            let file = json!({ "Bucket": bucket, "Key": format!("assets/{own}/audited"), "Body": "audited" });
            self.aws.call("s3", "put_object", file).await?;
            self.leave(&business.id).await?;
        }
        self.invoke("delete_tenants", json!({})).await
    }

    /// A platform administrator is appointed and removed.
    pub(super) async fn dismissed(&self) -> Result<()> {
        let body = json!({ "email": self.appointed().await?, "remove": true });
        self.invoke("make_platform_admin", body).await
    }

    /// The platform invites somebody to a tenant.
    pub(super) async fn invited_by_platform(&self, business: &Tenant) -> Result<Answer> {
        let body = json!({ "email": mails::new_address()? });
        let path = format!("/tenants/{}/invitations", business.id);
        self.of_platform("POST", &path, Some(body)).await
    }

    /// The platform suspends a tenant.
    pub(super) async fn suspended(&self, business: &Tenant) -> Result<Answer> {
        let path = format!("/tenants/{}/suspend", business.id);
        self.of_platform("POST", &path, Some(json!({ "reason": "audited" })))
            .await
    }

    /// A new user is invited and accepts by the mailed link.
    pub(super) async fn joins(&self, business: &Tenant) -> Result<()> {
        let (to, invited) = self.invites(business).await?;
        succeeded(&invited, "inviting somebody")?;
        let body = json!({ "token": self.token_for(&to).await?, "name": "Audited", "password": PASSWORD });
        let joined = self.post_json("/api/v1/users/invitations/accept", &body).await?;
        succeeded(&joined, "accepting an invitation").map(drop)
    }

    /// The token of the link mailed to this address.
    pub(super) async fn token_for(&self, to: &str) -> Result<String> {
        let mail = mails::arrived(self.play, to, PATIENCE).await?;
        let link = mail.links.first().context("the mail has a link")?;
        let (_, token) = link.split_once("token=").context("the link has a token")?;
        Ok(token.to_owned())
    }

    /// Invites a new user; also returns their address.
    pub(super) async fn invites(&self, business: &Tenant) -> Result<(String, Answer)> {
        let to = mails::new_address()?;
        let body = json!({ "email": to, "role": "agent" });
        let invited = self.api(business, "POST", "/api/v1/users/invitations", Some(body));
        Ok((to, invited.await?))
    }

    pub(super) async fn invited(&self, business: &Tenant) -> Result<Answer> {
        Ok(self.invites(business).await?.1)
    }

    /// A user is invited, the invitation is withdrawn, and the audit log is read.
    pub(super) async fn people(&self, business: &Tenant) -> Result<()> {
        self.joins(business).await?;
        let invited = self.invited(business).await?;
        ensure!(invited.status == 201, "nobody is invited: {}", invited.body);
        let place = invited.header("location").context("it says where it is")?;
        let gone = self.api(business, "DELETE", place, None).await?;
        ensure!(gone.status == 204, "{place} stays: {}", gone.body);
        for path in ["/api/v1/users", "/api/v1/users/invitations", "/api/v1/audit"] {
            let read = self.api(business, "GET", path, None).await?;
            ensure!(read.status == 200, "{path} is not read: {}", read.body);
        }
        Ok(())
    }

    /// A seeded tenant's administrator logs in.
    pub(super) async fn logs_in(&self) -> Result<Answer> {
        let tenant = self
            .play
            .endpoints
            .tenants
            .first()
            .context("there is a seeded tenant")?;
        let admin = &tenant.users.admin;
        let body = json!({ "email": admin.email, "password": admin.password });
        self.post_json("/api/v1/auth/log-in", &body).await
    }

    /// Tries to log in to this address with a wrong password.
    pub(super) async fn mistyped(&self, email: &str) -> Result<Answer> {
        let body = json!({ "email": email, "password": "not this one" });
        self.post_json("/api/v1/auth/log-in", &body).await
    }

    /// A new user signs up a business; also returns their address.
    pub(super) async fn signs_up(&self) -> Result<(String, Answer)> {
        let email = mails::new_address()?;
        let body = json!({
            "business": "Audited", "slug": format!("audited-{}", random_hex(6)?), "email": email,
            "name": "Audited", "password": PASSWORD, "time_zone": "Asia/Dubai",
        });
        Ok((email, self.post_json("/api/v1/auth/sign-up", &body).await?))
    }

    /// A token of the platform administrator, who can log in only three times in half a minute.
    pub(super) async fn platform_token(&self) -> Result<String> {
        let mut known = self.platform.lock().await;
        if let Some((since, token)) = &*known
            && since.elapsed() < ACCESS_TOKEN
        {
            return Ok(token.clone());
        }
        let token = log_in(self.play, &self.play.endpoints.platform_admin).await?;
        *known = Some((Instant::now(), token.clone()));
        Ok(token)
    }

    /// A request of the platform administrator.
    pub(super) async fn of_platform(&self, method: &str, path: &str, body: Option<Value>) -> Result<Answer> {
        let bearer = format!("Bearer {}", self.platform_token().await?);
        let once = random_hex(8)?;
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend((method == "POST").then_some(("idempotency-key", once.as_str())));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let path = format!("/api/v1/platform{path}");
        self.play.request(method, &path, &headers, body).await
    }

    /// The user who signed up follows the mailed link.
    pub(super) async fn founded_by(&self, (email, signed_up): (String, Answer)) -> Result<(String, Answer)> {
        ensure!(signed_up.status == 202, "nobody signs up: {}", signed_up.body);
        let body = json!({ "token": self.token_for(&email).await?, "password": PASSWORD });
        Ok((email, self.post_json("/api/v1/auth/verify-email", &body).await?))
    }

    /// A business is founded by who signed up for it.
    pub(super) async fn founded(&self) -> Result<Answer> {
        let signed_up = self.signs_up().await?;
        self.founded_by(signed_up).await.map(|(_, answer)| answer)
    }

    /// A business is founded by the platform.
    pub(super) async fn founded_by_platform(&self) -> Result<Answer> {
        let body = json!({
            "name": "Audited", "slug": format!("audited-{}", random_hex(6)?), "time_zone": "Asia/Dubai",
            "admin_email": mails::new_address()?,
        });
        self.of_platform("POST", "/tenants", Some(body)).await
    }

    /// Somebody signs up, logs in with a key that is made for it, goes on with the session and logs out.
    pub(super) async fn sessions(&self) -> Result<()> {
        let (email, verified) = self.founded_by(self.signs_up().await?).await?;
        succeeded(&verified, "verifying an address")?;
        // Events caused by strangers are recorded, too, whether or not the address has an account.
        for address in [&email, &mails::new_address()?] {
            let refused = self.mistyped(address).await?;
            ensure!(refused.status == 401, "a wrong password: {}", refused.body);
            let forgot = json!({ "email": address });
            let asked = self.post_json("/api/v1/auth/forgot-password", &forgot).await?;
            succeeded(&asked, "forgetting a password")?;
        }
        // Without signing keys, the next log-in creates one; earlier ones stay published.
        let auth = self.role("auth")?;
        let secret = self.aws.resources(&self.play.endpoints.stack).await?;
        let secret = secret.get("AuthSecret").context("the stack has an AuthSecret")?;
        let known = self
            .aws
            .call("secretsmanager", "get_secret_value", json!({ "SecretId": secret }))
            .await?;
        let known = known["SecretString"].as_str().context("the secret is a text")?;
        let mut keys: Value = serde_json::from_str(known).context("reading the secret")?;
        keys["signing_keys"] = json!([]);
        let put = json!({ "SecretId": secret, "SecretString": keys.to_string() });
        self.aws.call("secretsmanager", "put_secret_value", put).await?;
        self.kill(auth)?;
        let mut logged_in = self.logs_in().await?;
        for _dying in 0..120 {
            // The emulator may still send a request to the killed process.
            if logged_in.status != 502 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            logged_in = self.logs_in().await?;
        }
        let tokens = succeeded(&logged_in, "logging in")?;
        // A function that has just read the keys knows the new one only after it reads them again.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let refreshed = self
            .post_json(
                "/api/v1/auth/refresh",
                &json!({ "refresh_token": tokens["refresh_token"] }),
            )
            .await?;
        let tokens = succeeded(&refreshed, "refreshing")?;
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap_or_default());
        for path in ["/api/v1/me", "/api/v1/me/sessions", "/api/v1/me/security-events"] {
            let read = self
                .play
                .request("GET", path, &[("authorization", &bearer)], "")
                .await?;
            succeeded(&read, path)?;
        }
        let out = json!({ "refresh_token": tokens["refresh_token"] });
        succeeded(&self.post_json("/api/v1/auth/log-out", &out).await?, "logging out")?;
        Ok(())
    }

    /// Tenants are listed; one is suspended and resumed, its deletion requested and undone, its number released; tenants whose
    /// grace period has ended are deleted.
    pub(super) async fn platform(&self, business: &Tenant) -> Result<()> {
        let one = format!("/tenants/{}", business.id);
        for (method, path, body) in [
            ("GET", "/tenants".to_owned(), None),
            ("GET", "/log".to_owned(), None),
            ("POST", format!("{one}/suspend"), Some(json!({ "reason": "audited" }))),
            ("POST", format!("{one}/resume"), None),
            ("DELETE", one.clone(), None),
            ("POST", format!("{one}/resume"), None),
            ("GET", format!("{one}/usage"), None),
            ("GET", "/prices".to_owned(), None),
            (
                "PUT",
                "/prices".to_owned(),
                Some(json!({ "version": "audited", "lists": [] })),
            ),
            ("DELETE", "/prices".to_owned(), None),
            (
                "POST",
                format!("{one}/invitations"),
                Some(json!({ "email": mails::new_address()? })),
            ),
        ] {
            let answer = self.of_platform(method, &path, body).await?;
            succeeded(&answer, &format!("{method} {path}"))?;
        }
        succeeded(&self.tested(business).await?, "testing WhatsApp")?;
        let (waba_id, phone_number_id) = self.number(business).await?;
        let body = json!({ "waba_id": waba_id, "phone_number_id": phone_number_id, "reason": "audited" });
        let released = self
            .of_platform("POST", "/whatsapp-numbers/release", Some(body))
            .await?;
        succeeded(&released, "releasing a number")?;
        let email = self.appointed().await?;
        for body in [json!({ "email": email }), json!({ "email": email, "remove": true })] {
            self.invoke("make_platform_admin", body).await?;
        }
        let founded = self.founded_by_platform().await?;
        let founded = succeeded(&founded, "founding a tenant")?;
        self.leave(founded["id"].as_str().context("a tenant has an id")?)
            .await?;
        self.leave(&self.open().await?.id).await?;
        self.invoke("delete_tenants", json!({})).await
    }

    /// Creates a platform administrator and returns their address.
    pub(super) async fn appointed(&self) -> Result<String> {
        let email = mails::new_address()?;
        self.invoke("make_platform_admin", json!({ "email": email })).await?;
        Ok(email)
    }

    /// Ends a tenant's grace period.
    pub(super) async fn leave(&self, id: &str) -> Result<()> {
        let id = id.parse().context("reading a tenant's id")?;
        let (store, scope, now) = (&self.play.store, access::operator::scope(id), Timestamp::now());
        let before = store.tenant(&scope).await?.context("there is a tenant")?;
        let mut after = before.clone();
        after.status = domain::tenant::TenantStatus::Leaving;
        after.leaves_at = Some(now);
        let act = store::platform::PlatformAct {
            action: "tenant_leaving".to_owned(),
            tenant: Some(id),
            by: Stamp {
                actor: Actor::Operator,
                at: now,
                correlation_id: "iam".to_owned(),
            },
            detail: Value::Null,
        };
        let act_id = random_hex(8)?;
        let changed = store.change_tenant_for_platform(&scope, &before, &after, &act, &act_id);
        Ok(changed.await?)
    }
}
