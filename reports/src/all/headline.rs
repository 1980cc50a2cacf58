//! The numbers to see first.

use super::Records;
use crate::summary::summary;
use crate::ReportError;
use records::all::Headline;

/// The numbers of `records`.
///
/// # Errors
/// A latency record that contradicts itself.
pub fn headline(records: &Records) -> Result<Headline, ReportError> {
    let mut h = Headline::default();
    let mut mismatches = vec![];
    if let Some(latency) = &records.latency {
        let s = summary(latency)?;
        h.clock_mhz = Some(s.clock_mhz);
        h.cycles_per_token = Some(s.cycles_per_token);
        h.tokens_per_s = Some(s.tokens_per_s);
        h.utilisation = Some(s.utilisation);
        mismatches.extend(s.mismatches);
    }
    if let Some(p) = records.accuracy.as_ref().and_then(|a| a.point(&a.default)) {
        h.loss_percent = Some(p.loss_percent);
        h.loss_percent_se = Some(p.loss_percent_se);
        h.top1_agreement = Some(p.top1_agreement);
    }
    if let Some(asic) = &records.asic {
        h.fmax_mhz = Some(asic.timing.fmax_mhz);
        h.logic_mm2 = Some(asic.area.logic_um2 / 1e6);
        h.memory_mm2 = Some(asic.area.memory_um2 / 1e6);
        if let (Some(clock), Some(cycles)) = (h.clock_mhz, h.cycles_per_token) {
            h.tokens_per_s_at_fmax = Some(clock.min(asic.timing.fmax_mhz) * 1e6 / cycles as f64);
        }
    }
    if let Some(power) = &records.power {
        h.watts = Some(power.watts.total);
        h.j_per_token = Some(power.j_per_token);
        h.pj_per_parameter = Some(power.pj_per_parameter);
        h.external_j_per_token = Some(power.external.j_per_token);
        mismatches.push(power.replay.mismatches + power.replay_verilator.as_ref().map_or(0, |v| v.mismatches));
    }
    h.mismatches = (!mismatches.is_empty()).then(|| mismatches.iter().sum());
    Ok(h)
}
