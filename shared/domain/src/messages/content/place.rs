use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::terms::{Fault, OneLine};

/// Maximum characters of the name of a place.
const MAX_NAME_LENGTH: usize = 100;
/// Maximum characters of an address.
const MAX_ADDRESS_LENGTH: usize = 300;

/// Degrees of a latitude or longitude, from `-MAX` to `MAX`. Kept in millionths, about a decimetre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Degrees<const MAX: usize>(i32);

/// Degrees north of the equator.
pub type Latitude = Degrees<90>;
/// Degrees east of Greenwich.
pub type Longitude = Degrees<180>;

const MILLION: f64 = 1_000_000.0;

impl<const MAX: usize> Degrees<MAX> {
    /// These degrees, if they are within the bounds.
    pub fn new(degrees: f64) -> Option<Self> {
        let most = MAX as f64;
        (-most..=most)
            .contains(&degrees)
            .then(|| Self((degrees * MILLION).round() as i32))
    }

    /// The degrees.
    pub fn get(self) -> f64 {
        f64::from(self.0) / MILLION
    }
}

shown_as!(const MAX; Degrees<MAX>, {"type": "number", "minimum": -(MAX as i64), "maximum": MAX});

impl<const MAX: usize> Serialize for Degrees<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.get())
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Degrees<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).ok_or_else(|| {
            let most = i64::try_from(MAX).unwrap_or(i64::MAX);
            let detail = format!("must be degrees from -{MAX} to {MAX}");
            Fault::out_of_range(-most, most, detail).refuse()
        })
    }
}

/// A place. It is stored as it is requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Location"))]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Degrees north of the equator.
    #[cfg_attr(feature = "schema", schemars(example = 25.080_5))]
    pub latitude: Latitude,
    /// Degrees east of Greenwich.
    #[cfg_attr(feature = "schema", schemars(example = 55.140_3))]
    pub longitude: Longitude,
    /// Name of the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = &"Saffron Bakery"))]
    pub name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    /// Address of the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = &"Marina Walk 12, Dubai"))]
    pub address: Option<OneLine<1, MAX_ADDRESS_LENGTH>>,
}

impl Location {
    /// The name, or else the address.
    pub fn label(&self) -> Option<&str> {
        let name = self.name.as_ref().map(OneLine::as_str);
        name.or_else(|| self.address.as_ref().map(OneLine::as_str))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn degrees_are_bounded_and_keep_their_digits() {
        for degrees in [0.0, 51.500_7, -0.124_6, 90.0, -90.0, 25.080_512] {
            let read: Latitude = from_value(json!(degrees)).unwrap();
            assert_eq!(to_value(read).unwrap(), json!(degrees));
        }
        let whole: Longitude = from_value(json!(-180)).unwrap();
        assert_eq!(whole.get(), -180.0);
        for wrong in [json!(90.000_001), json!(-91), json!("12"), json!(null), json!(1e300)] {
            assert!(from_value::<Latitude>(wrong.clone()).is_err(), "{wrong}");
        }
        assert_eq!(Latitude::new(f64::NAN), None);
    }

    #[test]
    fn place_is_labelled_by_its_name_or_address() {
        let place = |more: serde_json::Value| {
            let mut body = json!({"latitude": 25.0, "longitude": 55.0});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            from_value::<Location>(body)
        };
        let both = place(json!({"name": "Bakery", "address": "Marina Walk"})).unwrap();
        assert_eq!(both.label(), Some("Bakery"));
        assert_eq!(
            place(json!({"address": "Marina Walk"})).unwrap().label(),
            Some("Marina Walk")
        );
        assert_eq!(place(json!({})).unwrap().label(), None);
        assert!(place(json!({"name": "x".repeat(101)})).is_err());
        assert!(place(json!({"street": "Marina Walk"})).is_err());
    }
}
