using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Negotiation;

public class SaResourceInfoTests
{
    [Fact]
    public void Our_lcores_are_numbers_and_the_common_SA_has_none()
    {
        NotifyPayload third = SaResourceInfo.Create(3);
        Assert.Equal(NotifyType.SaResourceInfo, third.NotifyType);
        Assert.Equal("00000003", SaResourceInfo.Describe(third));
        Assert.Empty(SaResourceInfo.Create(-1).Data);
    }

    [Fact]
    public void A_peers_identifier_may_be_anything_and_is_cut_for_people()
    {
        Assert.Equal("", SaResourceInfo.Describe(new NotifyPayload(NotifyType.SaResourceInfo, [])));
        Assert.Equal(new string('0', 64) + "…", SaResourceInfo.Describe(new NotifyPayload(NotifyType.SaResourceInfo, new byte[1000])));
    }
}
