//! Which caps a message is counted for.

use std::collections::BTreeSet;

use crate::{
    cap::{Cap, Scope, usual},
    config::TenantConfig,
    country::Country,
    ids::LineId,
    message::Recipient,
    purpose::Purpose,
    tenant::Tenant,
};

/// The caps of a tenant: those that it has set, or [the usual ones](usual).
#[must_use]
pub fn caps_of(tenant: &Tenant) -> Vec<Cap> {
    tenant.caps.as_ref().map_or_else(usual, |caps| caps.to_vec())
}

/// The caps that apply to a message to this recipient, if they are counted for it at all.
#[must_use]
pub fn applying(config: &TenantConfig, purpose: Purpose, line: Option<LineId>, to: &Recipient) -> Vec<Cap> {
    let country = to.country();
    let applies = |cap: &Cap| {
        let meant = cap.purpose.map_or(purpose.is_capped(), |named| named == purpose);
        meant
            && match cap.scope {
                Scope::Tenant => true,
                Scope::Line(named) => line == Some(named),
                Scope::Country(named) => country == Some(named),
                Scope::Abroad => country.is_none_or(|country| !home(config).contains(&country)),
            }
    };
    caps_of(&config.tenant).into_iter().filter(applies).collect()
}

/// The countries in which the business has numbers, and its own.
fn home(config: &TenantConfig) -> BTreeSet<Country> {
    let lines = config.lines.iter().filter_map(|line| line.number.as_ref());
    let connections = config.connections.iter();
    let numbers = connections.flat_map(|connection| connection.sms_numbers.iter().chain(&connection.whatsapp_number));
    let own = config
        .tenant
        .default_region
        .as_ref()
        .and_then(|region| region.parse().ok());
    lines
        .chain(numbers)
        .filter_map(|phone| phone.country())
        .chain(own)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cap::Period, samples::Case};

    fn recipient(phone: &str) -> Recipient {
        Recipient {
            phone: Some(phone.parse().unwrap()),
            bsuid: None,
        }
    }

    fn numbers(case: &Case, purpose: Purpose, to: &Recipient) -> Vec<u32> {
        let caps = applying(&case.config, purpose, None, to);
        caps.iter().map(|cap| cap.number).collect()
    }

    #[test]
    fn usual_caps_apply_by_purpose_and_country() {
        let case = Case::new();
        let (home, abroad) = (recipient("+971501234567"), recipient("+237671234567"));
        for (purpose, at_home, elsewhere) in [
            (Purpose::FollowUp, &[1, 2][..], &[1, 2, 5, 6][..]),
            (Purpose::Api, &[3, 4], &[3, 4, 5, 6]),
            (Purpose::Campaign, &[], &[5, 6]),
            (Purpose::Reply, &[], &[]),
            (Purpose::AutoReply, &[], &[]),
            (Purpose::OneTimeCode, &[], &[]),
            (Purpose::StopConfirmation, &[], &[]),
        ] {
            assert_eq!(numbers(&case, purpose, &home), at_home, "{purpose:?}");
            assert_eq!(numbers(&case, purpose, &abroad), elsewhere, "{purpose:?}");
        }
        let nowhere = recipient("+88812345678");
        assert_eq!(
            numbers(&case, Purpose::Campaign, &nowhere),
            [5, 6],
            "a number of no country"
        );
    }

    #[test]
    fn exempt_purposes_are_capped_where_a_cap_names_them() {
        let mut case = Case::new();
        let named = Cap {
            number: 9,
            period: Period::Day,
            scope: Scope::Country("AE".parse().unwrap()),
            purpose: Some(Purpose::Reply),
            maximum: 0,
        };
        case.config.tenant.caps = Some(vec![named].into());
        let to = recipient("+971501234567");
        assert_eq!(numbers(&case, Purpose::Reply, &to), [9]);
        assert_eq!(
            numbers(&case, Purpose::FollowUp, &to),
            [0; 0],
            "the usual ones are replaced"
        );
    }
}
