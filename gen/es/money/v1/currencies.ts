// Generated from proto/money/v1/currencies.csv by `npm run generate`. Do not edit.

/** The date of the ISO 4217 lists that these currencies are from. */
export const currenciesDate = "2026-01-01";

/** What a code must be for {@link currencyOf} to return its currency. */
export const currencyRule = "must be a code of ISO 4217, as published on 2026-01-01";

/** What ISO 4217 says about a currency. */
export type Currency = {
  /** The number of decimals; undefined if the currency has no minor units, or they are unknown. */
  readonly digits: number | undefined;
  /** Whether the code is in use; otherwise it is withdrawn. */
  readonly active: boolean;
};

const groups: readonly (readonly [digits: number | undefined, active: boolean, codes: string])[] = [
  [0, false, "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE ROL TPE TRL"],
  [0, true, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
  [2, false, "AFA ANG ATS AYM AZM BGL BGN CSD CUC CYP DEM EEK FIM FRF GHC GWP HRK IEP LTL LVL MRO MTL MZM NLG RUR SDD SIT SKK SLL SRG STD TMM USS VEB VEF YUM ZMK ZWD ZWL ZWN ZWR"],
  [2, true, "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"],
  [3, true, "BHD IQD JOD KWD LYD OMR TND"],
  [4, true, "CLF UYW"],
  [undefined, false, "ALK AOK AON AOR ARA ARP ARY BAD BEC BEL BGJ BGK BOP BRB BRC BRE BRN BRR BUK CHC CSJ CSK DDM ECS ECV ESA ESB GEK GHP GNE GNS GQE GWE HRD ILP ILR ISJ LAJ LSM LTT LUC LUL LVR MLF MTP MVQ MXP MZE NIC PEH PEI PES PLZ RHD ROK SDP SUR TJR UAK UGS UGW UYN UYP VNC XEU XFO XFU XRE YDD YUD YUN ZAL ZRN ZRZ ZWC"],
  [undefined, true, "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"],
];

const currencies: ReadonlyMap<string, Currency> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ groups.flatMap(([digits, active, codes]) =>
    codes.split(" ").map((code): [string, Currency] => [code, { digits, active }]),
  ),
);

/** Returns the currency of a code; undefined if ISO 4217 has never had this code. */
export function currencyOf(code: string): Currency | undefined {
  return currencies.get(code);
}
