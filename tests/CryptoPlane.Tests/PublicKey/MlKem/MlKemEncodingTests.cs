using CryptoPlane.PublicKey.MlKem;

namespace CryptoPlane.Tests.PublicKey.MlKem;

/// <summary>Each number that can occur, against arithmetic as FIPS 203 writes it.</summary>
public sealed class MlKemEncodingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(10)]
    public void Compression_rounds_as_the_standard_says(int bits)
    {
        short[] values = new short[MlKemPolynomial.Size], back = new short[MlKemPolynomial.Size];
        byte[] bytes = new byte[32 * bits];
        for (int first = 0; first < MlKemField.Q; first += values.Length)
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = (short)((first + i) % MlKemField.Q);
            MlKemEncoding.WriteCompressed(values, bits, bytes);
            MlKemEncoding.ReadCompressed(bytes, bits, back);
            for (int i = 0; i < values.Length; i++)
            {
                int compressed = (int)Math.Round((double)(1 << bits) / MlKemField.Q * values[i], MidpointRounding.AwayFromZero) % (1 << bits);
                Assert.Equal((int)Math.Round((double)MlKemField.Q / (1 << bits) * compressed, MidpointRounding.AwayFromZero), back[i]);
            }
        }
    }

    [Fact]
    public void Reductions_give_the_right_representative()
    {
        for (int value = short.MinValue; value <= short.MaxValue; value++)
        {
            int reduced = MlKemField.Barrett((short)value);
            Assert.InRange(reduced, -(MlKemField.Q - 1) / 2, (MlKemField.Q - 1) / 2);
            Assert.Equal(0, (value - reduced) % MlKemField.Q);
        }
        for (int value = -MlKemField.Q; value < MlKemField.Q; value++)
            Assert.Equal((value + MlKemField.Q) % MlKemField.Q, MlKemField.Canonical((short)value));
        for (int value = -MlKemField.Q << 15; value <= MlKemField.Q << 15; value += 331)
        {
            int divided = MlKemField.Montgomery(value);
            Assert.InRange(divided, -MlKemField.Q, MlKemField.Q);
            Assert.Equal(0, (((long)divided << 16) - value) % MlKemField.Q);
        }
    }

    [Fact]
    public void Full_coefficients_come_back_and_those_of_q_and_above_are_refused()
    {
        short[] values = new short[MlKemPolynomial.Size], back = new short[MlKemPolynomial.Size];
        byte[] bytes = new byte[MlKemEncoding.FullSize];
        for (int first = 0; first < MlKemField.Q; first += values.Length)
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = (short)((first + i) % MlKemField.Q);
            MlKemEncoding.WriteFull(values, bytes);
            Assert.True(MlKemEncoding.TryReadFull(bytes, back));
            Assert.Equal(values, back);
        }
        for (int wrong = MlKemField.Q; wrong < 4096; wrong++)
        {
            bytes.AsSpan().Clear();
            int at = wrong % MlKemPolynomial.Size;
            bytes[at / 2 * 3 + at % 2] = (byte)(at % 2 == 0 ? wrong : wrong << 4);
            bytes[at / 2 * 3 + at % 2 + 1] |= (byte)(at % 2 == 0 ? wrong >> 8 : wrong >> 4);
            Assert.False(MlKemEncoding.TryReadFull(bytes, back));
        }
    }

    [Fact]
    public void Transforms_multiply_as_polynomials_do()
    {
        var random = new Random(1);
        short[] a = Draw(random), b = Draw(random);
        var expected = new long[MlKemPolynomial.Size];
        for (int i = 0; i < a.Length; i++)
        {
            for (int j = 0; j < b.Length; j++)
                expected[(i + j) % a.Length] += i + j < a.Length ? a[i] * b[j] : -a[i] * b[j]; // X^256 = -1
        }
        short[] product = new short[MlKemPolynomial.Size];
        MlKemPolynomial.Transform(a);
        MlKemPolynomial.Transform(b);
        MlKemPolynomial.AddProduct(product, a, b);
        MlKemPolynomial.TransformBack(product);
        for (int i = 0; i < product.Length; i++)
            Assert.Equal(0, (expected[i] - product[i]) % MlKemField.Q);
    }

    private static short[] Draw(Random random) => [.. Enumerable.Range(0, MlKemPolynomial.Size).Select(_ => (short)random.Next(MlKemField.Q))];
}
