//! The instruction sets of the fast step, and functions that are compiled for each of them.

/// An instruction set this machine has; values come only from [`Isa::best`] and [`Isa::all`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(pub(super) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The fastest of this machine.
    pub fn best() -> Self {
        Self::all().pop().unwrap_or(Isa(Kind::Portable))
    }

    /// All of this machine, the fastest last.
    pub fn all() -> Vec<Self> {
        #[allow(unused_mut)] // other processors have the portable one only
        let mut all = vec![Isa(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                all.push(Isa(Kind::Avx2));
            }
            let has = [
                is_x86_feature_detected!("avx512f"),
                is_x86_feature_detected!("avx512bw"),
                is_x86_feature_detected!("avx512dq"),
                is_x86_feature_detected!("avx512vl"),
                is_x86_feature_detected!("avx512vbmi"),
                is_x86_feature_detected!("avx512vnni"),
            ];
            if has.iter().all(|has| *has) {
                all.push(Isa(Kind::Avx512));
            }
        }
        all
    }

    /// Returns the name that reports use.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512vnni",
        }
    }
}

/// Calls the function of that name in the module that is made for an [`Isa`]: portable, AVX2 or AVX-512. The caller has checked
/// whatever else the functions of the instruction sets rely on.
macro_rules! dispatch {
    ($isa:expr, [$portable:ident, $avx2:ident, $avx512:ident], $kernel:ident($($arg:expr),*)) => {
        match $isa.0 {
            $crate::fast::isa::Kind::Portable => $portable::$kernel($($arg),*),
            // SAFETY: an `Isa` is made only after the machine was asked for these features; the caller has checked the lengths.
            #[cfg(target_arch = "x86_64")]
            $crate::fast::isa::Kind::Avx2 => unsafe { $avx2::$kernel($($arg),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            $crate::fast::isa::Kind::Avx512 => unsafe { $avx512::$kernel($($arg),*) },
        }
    };
}

pub(in crate::fast) use dispatch;

/// Compiles one safe function for every instruction set and picks by an [`Isa`], which becomes the first argument.
macro_rules! versions {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)] // what a formula of several vectors takes
        $vis fn $name(isa: $crate::fast::isa::Isa, $($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }
            match isa.0 {
                $crate::fast::isa::Kind::Portable => body($($arg),*),
                // SAFETY: an `Isa` is made only after the machine was asked for these features.
                #[cfg(target_arch = "x86_64")]
                $crate::fast::isa::Kind::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::fast::isa::Kind::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}

pub(in crate::fast) use versions;
