//! Turning the second factor on and off.

use std::sync::Arc;

use api::{Body, NoContent, Once, Person};
use axum::http::StatusCode;
use axum::{Extension, Json};
use domain::accounts::SecurityEventKind::{
    ProofRefused, RecoveryCodeUsed, RecoveryCodesReplaced, SecondFactorOff, SecondFactorOn,
};
use domain::accounts::{Account, SecondFactor};
use domain::terms::{Fault, FaultCode};
use jobs::{FactorChange, Mail};
use kit::Problem;
use secrecy::ExposeSecret;

use crate::models::{CodeIn, PasswordAndCodeIn, PasswordIn, PendingFactorOut, RecoveryCodesOut};
use crate::{Context, sign_failed, totp};

fn not_on() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "second_factor_off",
        "No second factor",
        "The second factor is off. Set it up first.",
    )
}

impl Context {
    async fn announce_factor_change(&self, who: &Person, what: FactorChange) {
        let account = &who.account().value;
        let event = match what {
            FactorChange::TurnedOn => SecondFactorOn,
            FactorChange::TurnedOff => SecondFactorOff,
            FactorChange::RecoveryCodesReplaced => RecoveryCodesReplaced,
            FactorChange::RecoveryCodeUsed => RecoveryCodeUsed,
        };
        self.note_own(who, event).await;
        self.notify(who.correlation_id(), account, Mail::EmailFactorChanged { what })
            .await;
    }

    /// Requires both factors: a stolen token and a known password must not be enough to turn the second factor off. The code is
    /// used up in memory only, a wrong one is counted and reported as at log-in.
    async fn must_prove_both(
        &self,
        who: &Person,
        account: &mut Account,
        input: &PasswordAndCodeIn,
    ) -> Result<(), Problem> {
        let field = match (&input.code, &input.recovery_code) {
            (Some(_), None) => "code",
            (None, Some(_)) => "recovery_code",
            (None, None) => {
                let detail = "Send the app's code or a recovery code, too.";
                return Err(Problem::field("code", Fault::new(FaultCode::Required, detail)));
            }
            (Some(_), Some(_)) => {
                let detail = "Send the app's code or a recovery code, not both.";
                return Err(Problem::field("recovery_code", Fault::excludes(&["code"], detail)));
            }
        };
        self.must_know(who, "password", &input.password).await?;
        self.limit_codes(&account.email).await?;
        let used = self
            .use_factor(account, input.code.as_ref(), input.recovery_code.as_ref(), who.now())
            .await;
        match used {
            Ok(_recovered) => Ok(()),
            Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
                let known = who.account();
                if *account != known.value {
                    self.store().write_account(account, known.version).await?;
                    self.warn_of_wrong_code(who.correlation_id(), &known.value, account)
                        .await;
                }
                self.note_own(who, ProofRefused).await;
                let detail = "The code is wrong, expired or already used. Wait for the app's next code.";
                Err(Problem::field(field, Fault::new(FaultCode::WrongSecret, detail)))
            }
            Err(problem) => Err(problem),
        }
    }
}

pub(crate) async fn begin_second_factor(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<PasswordIn>,
) -> Result<Once<Json<PendingFactorOut>>, Problem> {
    context.must_know(&who, "password", &input.password).await?;
    let account = who.account();
    if account.value.second_factor.is_some() {
        let detail = "The second factor is already on. Turn it off first.";
        return Err(Problem::conflict("second_factor_on", detail));
    }
    let secret = totp::new_secret(context.api.secret()?);
    let sealed = context.signer().seal(account.value.id, &secret, who.now()).await;
    let mut next = account.value.clone();
    next.pending_factor = Some(sealed.map_err(|error| sign_failed(&error))?);
    context.store().write_account(&next, account.version).await?;
    let (secret, uri) = totp::secret_and_uri(&secret, &next.email);
    Ok(Once(Json(PendingFactorOut { secret, uri })))
}

pub(crate) async fn confirm_second_factor(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<CodeIn>,
) -> Result<Once<Json<RecoveryCodesOut>>, Problem> {
    let account = who.account();
    let mut next = account.value.clone();
    let Some(pending) = next.pending_factor.take() else {
        let detail = "No second factor waits for its first code. Set one up first.";
        return Err(Problem::conflict("no_pending_factor", detail));
    };
    context.limit_codes(&next.email).await?;
    let opened = context.signer().open(next.id, &pending, who.now()).await;
    let secret = opened.map_err(|error| sign_failed(&error))?;
    let Some(step) = totp::step_of(&secret, input.code.0.expose_secret(), who.now()) else {
        context.note_own(&who, ProofRefused).await;
        let detail = "The app shows another code now. Check the clock of the device and try the next code.";
        return Err(Problem::field("code", Fault::new(FaultCode::WrongSecret, detail)));
    };
    let (recovery_codes, kept) = totp::recovery_codes(|| context.api.secret())?;
    next.second_factor = Some(SecondFactor {
        secret: pending,
        last_step: step,
        recovery_codes: kept,
        enabled_at: who.now(),
        wrong_codes: 0,
    });
    // Whoever else is logged in did not prove it.
    next.end_sessions(context.ends_all().max(next.sessions_from), Some(who.session()));
    context.end_in_tenants(&next, &who.stamp()).await?;
    context.store().write_account(&next, account.version).await?;
    context.announce_factor_change(&who, FactorChange::TurnedOn).await;
    Ok(Once(Json(RecoveryCodesOut { recovery_codes })))
}

pub(crate) async fn replace_recovery_codes(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<PasswordAndCodeIn>,
) -> Result<Once<Json<RecoveryCodesOut>>, Problem> {
    let account = who.account();
    if account.value.second_factor.is_none() {
        return Err(not_on());
    }
    let mut next = account.value.clone();
    context.must_prove_both(&who, &mut next, &input).await?;
    let factor = next.second_factor.as_mut().ok_or_else(not_on)?;
    let (recovery_codes, kept) = totp::recovery_codes(|| context.api.secret())?;
    factor.recovery_codes = kept;
    context.store().write_account(&next, account.version).await?;
    context
        .announce_factor_change(&who, FactorChange::RecoveryCodesReplaced)
        .await;
    Ok(Once(Json(RecoveryCodesOut { recovery_codes })))
}

pub(crate) async fn remove_second_factor(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<PasswordAndCodeIn>,
) -> Result<NoContent, Problem> {
    let account = who.account();
    if account.value.second_factor.is_none() {
        return Err(not_on());
    }
    let mut next = account.value.clone();
    context.must_prove_both(&who, &mut next, &input).await?;
    next.second_factor = None;
    next.pending_factor = None;
    context.store().write_account(&next, account.version).await?;
    context.announce_factor_change(&who, FactorChange::TurnedOff).await;
    Ok(NoContent)
}
