namespace CryptoPlane.Ike.Tests.Crypto;

/// <summary>
/// One run of two strongSwan 5.9.8 daemons (AES-GCM-16-256, PRF HMAC-SHA2-384, P-384; child SAs AES-GCM-16-128, rekeyed with X25519;
/// pre-shared key "correct horse", identities cli and srv), as they logged it with ike=4, chd=4 and net=3: the initiator's IKE_SA_INIT
/// and IKE_AUTH, its rekey of the child SA, and the responder's rekey of the IKE SA. Messages are without the non-ESP marker.
/// </summary>
internal static class StrongSwanRecording
{
    /// <summary>IKE_SA_INIT request.</summary>
    public static byte[] InitRequest { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5100000000000000002120220800000000000001282200002800000024010100030300000c01000014800e01000300000802000006"
        + "00000008040000142800006800140000ccde7479fb1a7dd8c038f55602b99b10bf31525ac8e1a755e76b258e5229ab2c4c1638569668c7e18336cc86"
        + "55cd0d6c8e0167d54ccfa9ff77e36e66f0994afac2142584fa31d8c6ac451ea681685519842175797feb4abe22be191e6af9e4e72900002421ce20a6"
        + "0dacb8c36c2f03e176f54b2fbdd25b8c817a77d05ddc47b1564a5f462900001c00004004d5d02643dbf95441f5f234a7ce0fac396d2190132900001c"
        + "00004005ad8c254a2a27aca70f92a5170ef5a98820d3da1b290000080000402e290000100000402f00020003000400050000000800004016");

    /// <summary>IKE_SA_INIT response.</summary>
    public static byte[] InitResponse { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5153b150f93a280f652120222000000000000001302200002800000024010100030300000c01000014800e01000300000802000006"
        + "0000000804000014280000680014000021bce3e1b7b91897c219b84bcd1624ca185017099beb2f6ab1d5cb842ceade1da25b6358e6e54faa42f02c0c"
        + "ec7bfad23e0125ee2bc913b665720a039db270037442c9835e1c63ed1855184bddd3d4cc64f57225f8be71e10bea6962db738a6f29000024fabeb5a4"
        + "55a27e24228417cb220e2e68391f601b291702695307b6a9c7a08c452900001c00004004fbbed1506eb3021d32f1c494b5039c7e9d4c4ddd2900001c"
        + "00004005d866aec0d8f6b8c083c4e9a581254cc47ea89cf7290000080000402e290000100000402f0002000300040005290000080000402200000008"
        + "00004014");

    /// <summary>g^ir of IKE_SA_INIT, on P-384.</summary>
    public static byte[] SharedSecret { get; } = Convert.FromHexString(
        "6eeed849e8da305684a3886feac6a0a44ee1f019600f3ebc4269ed5bc2157fd03c32ba111ced8b05d094a8bb7a719c65");

    /// <summary>SKEYSEED.</summary>
    public static byte[] SkeySeed { get; } = Convert.FromHexString(
        "3e4b33c014884c8207ac1abbb248567377c5867810ed3595b8435d75c5407fc989ed5ecb7d490629198124cefaa378bf");

    /// <summary>SK_d.</summary>
    public static byte[] SkD { get; } = Convert.FromHexString(
        "4d903c59d7235dc7bd71e861ed48e7d9534c93f80bba810449f1df376c33b1819932b42f4cc73ed704b4a3b9d6e1d05b");

    /// <summary>SK_ei.</summary>
    public static byte[] SkEi { get; } = Convert.FromHexString(
        "fc066971b8201ede8489fe740fbcbecb4e35792a3a6f404aa18976b527b3d8ddbaed749c");

    /// <summary>SK_er.</summary>
    public static byte[] SkEr { get; } = Convert.FromHexString(
        "ec1ffa3fb99d6ce97db9cc247b2a0f3980831ad34cf180f8abd35d01b04950ea6813b2e4");

    /// <summary>SK_pi.</summary>
    public static byte[] SkPi { get; } = Convert.FromHexString(
        "e8de8b665a7dc911f803f49942e3e862c10c8c3354d30809fafbe4043cbb006f1b35773961b787b374cbdda5e24d14ca");

    /// <summary>SK_pr.</summary>
    public static byte[] SkPr { get; } = Convert.FromHexString(
        "cb1dade0cf7e41d7cdfe08d62fff273b26a8d8ba1be81530ddb578c6ed8e9f3245bfbac3cc383263bf8c99265bbbd005");

    /// <summary>IKE_AUTH request.</summary>
    public static byte[] AuthRequest { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5153b150f93a280f652e20230800000001000000fb230000df3d59aec1702f8dea2c52b1884e7f64d6631dd680c3501f2594cc3d5d"
        + "69409b989ed6d7fe614d64f519ab98304be0dd9743d5af8694990e46ca5d009d8139a2d9b4bb11c839eacee81418c6fdc1f59d0717b4b4caf5a20543"
        + "d5c25652c7aeb62ecebe972400057bf1e0676f2e0572b62bf6efdf26defcf7bb82b0a0478f1a0d7ffbe66acdf1d070fee92383df574db62c453a0a72"
        + "46b18552cb9eb05d2c7860fa44fe4c888d11c6f04c0f87c6ce25bc86a57cfb4d225d72347764f3f379730ae68b4d338b3b1d1139e2a8edb0103d1814"
        + "64bf52faeba7253dd6bf98");

    /// <summary>IKE_AUTH response.</summary>
    public static byte[] AuthResponse { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5153b150f93a280f652e20232000000001000000d0240000b46d1cca6b476f142c7ff5922899409f382befc9b22a0ba9601dde5438"
        + "0f23ca145094b6d65d27e6b5fa2d2e8c2d1e5f3618b7e0151d64e3e471f863b6f061ad216f062713017de920bd71e8285d14c72a0c6d2b612140cb52"
        + "ed55fba031ee346c12ace7d35c737c022dfb2f14b08572179f17e12d56c4c725ab5c5f1faed754a9d5aaa3504437e3c3a40a6cb32f0f55c43187cea7"
        + "7f3265923033e6fbe031e2d896c23f48796242827217a60481876b1c");

    /// <summary>InitiatorSignedOctets.</summary>
    public static byte[] InitiatorOctets { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5100000000000000002120220800000000000001282200002800000024010100030300000c01000014800e01000300000802000006"
        + "00000008040000142800006800140000ccde7479fb1a7dd8c038f55602b99b10bf31525ac8e1a755e76b258e5229ab2c4c1638569668c7e18336cc86"
        + "55cd0d6c8e0167d54ccfa9ff77e36e66f0994afac2142584fa31d8c6ac451ea681685519842175797feb4abe22be191e6af9e4e72900002421ce20a6"
        + "0dacb8c36c2f03e176f54b2fbdd25b8c817a77d05ddc47b1564a5f462900001c00004004d5d02643dbf95441f5f234a7ce0fac396d2190132900001c"
        + "00004005ad8c254a2a27aca70f92a5170ef5a98820d3da1b290000080000402e290000100000402f00020003000400050000000800004016fabeb5a4"
        + "55a27e24228417cb220e2e68391f601b291702695307b6a9c7a08c45b24112fa468257e9dae14447c5a80644b4cdf6d2abdf76029a1d78f5253e3384"
        + "55ba1ddeb5202a2ba45a7be632ee9927");

    /// <summary>ResponderSignedOctets.</summary>
    public static byte[] ResponderOctets { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5153b150f93a280f652120222000000000000001302200002800000024010100030300000c01000014800e01000300000802000006"
        + "0000000804000014280000680014000021bce3e1b7b91897c219b84bcd1624ca185017099beb2f6ab1d5cb842ceade1da25b6358e6e54faa42f02c0c"
        + "ec7bfad23e0125ee2bc913b665720a039db270037442c9835e1c63ed1855184bddd3d4cc64f57225f8be71e10bea6962db738a6f29000024fabeb5a4"
        + "55a27e24228417cb220e2e68391f601b291702695307b6a9c7a08c452900001c00004004fbbed1506eb3021d32f1c494b5039c7e9d4c4ddd2900001c"
        + "00004005d866aec0d8f6b8c083c4e9a581254cc47ea89cf7290000080000402e290000100000402f0002000300040005290000080000402200000008"
        + "0000401421ce20a60dacb8c36c2f03e176f54b2fbdd25b8c817a77d05ddc47b1564a5f46a375bc7ae235f9c49749ce98369b43012c7593054d7135ec"
        + "d87e51028feff1bdd74f5f71522eeafe858a54fdfbd627ae");

    /// <summary>The initiator's AUTH.</summary>
    public static byte[] InitiatorAuth { get; } = Convert.FromHexString(
        "651886df90a70417c7972feacc0b94ebd187110642cf1a11b41c009cea5b5957688d0d8d5da8769fe7964f974b34d91e");

    /// <summary>The responder's AUTH.</summary>
    public static byte[] ResponderAuth { get; } = Convert.FromHexString(
        "5a225275d124ab1ea356793ba051cbe5b5054cbeeb8e5ef28b768e48d91824b18c8740cf26b9a3a5a59a02773fcc7fd3");

    /// <summary>Key and salt of the first child SA, initiator to responder.</summary>
    public static byte[] FirstChildInitiatorKey { get; } = Convert.FromHexString(
        "c6bc09b8cd675aa3f4ad08c2a2722e9559b5e6a2");

    /// <summary>Key and salt of the first child SA, responder to initiator.</summary>
    public static byte[] FirstChildResponderKey { get; } = Convert.FromHexString(
        "12da636fcee93c3a70f63be061c0cea96cc991ad");

    /// <summary>CREATE_CHILD_SA request that rekeys the child SA.</summary>
    public static byte[] ChildRequest { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5153b150f93a280f652e20240800000002000000ed290000d13d59aec2702f8deaf569c85d9745ad7d53008e7a495eb94e5e64b578"
        + "f6cd9b73924be3cb2df9839c11ce86c3d7a37209458e67bf908143d06ea1a0fd4199ea1528ac1af33b9e0b11451bde413679c5c8b3a0cff578d1c0de"
        + "0ef6aa586ca17d35acc7b58772c2914ed4050d4f6fef9842334fa184375f248c22f2e7ede1c6b72c1f035d23547eff7a3906ea8af58954cb17838865"
        + "0c4b107bcc41e5046b9d9d0df7e8d1ca2d5d7ea269d76fa23d033fd6c31aab05630429c692112f58b74635035602421eca4c0fd857aa1b4658");

    /// <summary>CREATE_CHILD_SA response to it.</summary>
    public static byte[] ChildResponse { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5153b150f93a280f652e20242000000002000000e1210000c56d1cca68476f142c833bec95fb14af0f4b211f4f2f342199e9036ab7"
        + "2049066f89c7ae62305682d3aa417b767a079d6b8914e40ea2d1564d92381c21364f0b5e2ebfa650df609e2ef50f5f5e4ccf7e52d132722eed1070a6"
        + "71858bcd62fc075f0f64e5ca5150e3574867d95eef4afe9bd372e4c13da40c1640ac02edd313058947fe84c5cc6beeaf54e7422b1a2ec37c5f5231af"
        + "e013a5489dcf2ed6830c331eabb3a8588b06bb821a64e65f0cd81552155a8cb7c51910684f528574bc657b8d6d");

    /// <summary>g^ir of the child SA's rekey, X25519.</summary>
    public static byte[] ChildSharedSecret { get; } = Convert.FromHexString(
        "828f162f345cd615436a118233aff9d6b57ee1fa38fa761ed0cd420fd239e762");

    /// <summary>Key and salt of the second child SA, initiator to responder.</summary>
    public static byte[] SecondChildInitiatorKey { get; } = Convert.FromHexString(
        "4ff5becbccb9c38c1dff9c8dd4ec4ccec81d10cb");

    /// <summary>Key and salt of the second child SA, responder to initiator.</summary>
    public static byte[] SecondChildResponderKey { get; } = Convert.FromHexString(
        "51aa9856e1283ee8dc8cfbfda13963270e409a2e");

    /// <summary>CREATE_CHILD_SA request that rekeys the IKE SA, from its responder.</summary>
    public static byte[] RekeyRequest { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5153b150f93a280f652e20240000000000000000f5210000d9ed1cca6a476f142c1f64b803bad92c115a73888eb0d34d703ea998c4"
        + "f02fe4e984e08d5f94626d01bf6e54797dc8fb92a112e413b6727680f905a8f8c43ebf80e17412dfcbd09fad32e7f0cde6f2b9967caeb944138aacc3"
        + "d1606c8f9f7862cb08d17cb31b24f81ad9e85360f271939709b5eb2403c7a308ef47c836a57438312ed128e837b41512910fcba21c3f2f08410212a2"
        + "a8eb8000ea188f0d499dc417dde24dd8daa75611f1a8cf7245d0ead2546dc78004d13c27b2812bfeec25c2e2c519b969d8646f044eebfeddf7b03320"
        + "4f1644919d");

    /// <summary>CREATE_CHILD_SA response to it.</summary>
    public static byte[] RekeyResponse { get; } = Convert.FromHexString(
        "06ca0b5faa1b6a5153b150f93a280f652e20242800000000000000f5210000d9bd59aec0702f8dea119daae1085b671b7088d4f65aef3154214ede8f"
        + "9f2db0fa8cbbf1f4a9efccb8d625e735d57f33c2382c07623072c9cf307e4a1fd0b580580913cc5f0389fcdcd66fc4bd9e5c42c8483617b4a374f8f8"
        + "a40776f091bc252be3fe32a8a1ae496661cf8a862c77453ec4587ccc311e836e8f2c612a35e7fb8893bfb78aca28c94cd6bf19567e2ce26e8fede226"
        + "43346126d3e34da80c840b23bf496aa929e16cdd49e0b95f7d6055fa17e79e883faea50f58355f6ce5f821e0561a5e88b4eea9f599f3bb3c9748b99d"
        + "42dc5838b2");

    /// <summary>g^ir of the IKE SA's rekey, on P-384.</summary>
    public static byte[] RekeySharedSecret { get; } = Convert.FromHexString(
        "2093a1d6978becbad635155c97881e29a9ad4e69f800ce13d45dbf01e81a81e95e678892151b1832727ec373b399c510");

    /// <summary>SKEYSEED of the second IKE SA.</summary>
    public static byte[] SecondSkeySeed { get; } = Convert.FromHexString(
        "55e6fc84e16b5478676e5522547857796c7f529b4e7cb371dd2dcab7c7c77b6efb43235718c246f6dff1e46923998b9d");

    /// <summary>SK_d of the second IKE SA.</summary>
    public static byte[] SecondSkD { get; } = Convert.FromHexString(
        "02ba2ff04be0cb75b732b23cda89af5c1c154145ca235d500c8ef91884a1da290711a780f9c1df7cbeb57ba264c98028");

    /// <summary>SK_ei of the second IKE SA.</summary>
    public static byte[] SecondSkEi { get; } = Convert.FromHexString(
        "64925228d585979df245c0d5d92cc1e238a8cd84ba9f209efe663611561793d5af82c016");

    /// <summary>SK_er of the second IKE SA.</summary>
    public static byte[] SecondSkEr { get; } = Convert.FromHexString(
        "15f6b7ae2c4527157eed1b3828724629b63ff5c11088ef9e6461112d77749fb09fc7e23d");

    /// <summary>SK_pi of the second IKE SA.</summary>
    public static byte[] SecondSkPi { get; } = Convert.FromHexString(
        "c587d399faa0251b809b90ad001b5030b09882d5d6ef52412e8704accd30000059926704dc5a1883ab6428d3e3fc0104");

    /// <summary>SK_pr of the second IKE SA.</summary>
    public static byte[] SecondSkPr { get; } = Convert.FromHexString(
        "56d3a77f1d4ae2a35dd0d7d078da4233f7ea146b6fce798bfce7284583cf78573eb31305078149c895f98099f4aaa510");
}
