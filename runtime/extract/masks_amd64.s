#include "textflag.h"

// spaces has each white space character of JSON at the index of its low four bits, and elsewhere what no such index has.
DATA spaces<>+0x00(SB)/8, $0x8080808080808020
DATA spaces<>+0x08(SB)/8, $0x80800d80800a0980
DATA spaces<>+0x10(SB)/8, $0x8080808080808020
DATA spaces<>+0x18(SB)/8, $0x80800d80800a0980
DATA spaces<>+0x20(SB)/8, $0x8080808080808020
DATA spaces<>+0x28(SB)/8, $0x80800d80800a0980
DATA spaces<>+0x30(SB)/8, $0x8080808080808020
DATA spaces<>+0x38(SB)/8, $0x80800d80800a0980
GLOBL spaces<>(SB), RODATA|NOPTR, $64

DATA bytes<>+0x00(SB)/1, $0x22 // quote
DATA bytes<>+0x01(SB)/1, $0x5c // backslash
DATA bytes<>+0x02(SB)/1, $0x1f // the last control character
DATA bytes<>+0x03(SB)/1, $0x2c // comma
DATA bytes<>+0x04(SB)/1, $0x3a // colon
DATA bytes<>+0x05(SB)/1, $0x20 // what [ and ] lack of { and }
DATA bytes<>+0x06(SB)/1, $0x7b // {
DATA bytes<>+0x07(SB)/1, $0x7d // }
DATA bytes<>+0x08(SB)/1, $0x30 // zero
DATA bytes<>+0x09(SB)/1, $0x09 // the largest digit
DATA bytes<>+0x0a(SB)/1, $0x2d // minus
GLOBL bytes<>(SB), RODATA|NOPTR, $11

// PUT stores the sign bits of the bytes in Y2 and Y3 as a mask.
#define PUT(field) \
	VPMOVMSKB Y2, AX;     \
	VPMOVMSKB Y3, BX;     \
	SHLQ      $32, BX;    \
	ORQ       BX, AX;     \
	MOVQ      AX, field(DI)

#define EQUAL(constant, field) \
	VPCMPEQB Y0, constant, Y2; \
	VPCMPEQB Y1, constant, Y3; \
	PUT(field)

// func masksAVX2(p *byte, n int, out *masks)
TEXT ·masksAVX2(SB), NOSPLIT, $0-24
	MOVQ         p+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVQ         out+16(FP), DI
	VPBROADCASTB bytes<>+0x00(SB), Y4
	VPBROADCASTB bytes<>+0x01(SB), Y5
	VPBROADCASTB bytes<>+0x02(SB), Y6
	VPBROADCASTB bytes<>+0x03(SB), Y7
	VPBROADCASTB bytes<>+0x04(SB), Y8
	VPBROADCASTB bytes<>+0x05(SB), Y9
	VPBROADCASTB bytes<>+0x06(SB), Y10
	VPBROADCASTB bytes<>+0x07(SB), Y11
	VPBROADCASTB bytes<>+0x08(SB), Y12
	VPBROADCASTB bytes<>+0x09(SB), Y13
	VPBROADCASTB bytes<>+0x0a(SB), Y14
	VMOVDQU      spaces<>(SB), Y15

next:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	EQUAL(Y4, 0)
	EQUAL(Y5, 8)
	VPMINUB  Y0, Y6, Y2 // control: no more than 0x1f
	VPMINUB  Y1, Y6, Y3
	VPCMPEQB Y0, Y2, Y2
	VPCMPEQB Y1, Y3, Y3
	PUT(16)
	VPSHUFB  Y0, Y15, Y2
	VPSHUFB  Y1, Y15, Y3
	VPCMPEQB Y0, Y2, Y2
	VPCMPEQB Y1, Y3, Y3
	PUT(24)
	EQUAL(Y7, 32)
	EQUAL(Y8, 40)
	VPOR     Y0, Y9, Y2
	VPOR     Y1, Y9, Y3
	VPCMPEQB Y2, Y10, Y2
	VPCMPEQB Y3, Y10, Y3
	PUT(48)
	VPOR     Y0, Y9, Y2
	VPOR     Y1, Y9, Y3
	VPCMPEQB Y2, Y11, Y2
	VPCMPEQB Y3, Y11, Y3
	PUT(56)
	EQUAL(Y12, 72)
	EQUAL(Y14, 80)
	VPSUBB   Y12, Y0, Y0 // digit: no more than 9 above zero
	VPSUBB   Y12, Y1, Y1
	VPMINUB  Y0, Y13, Y2
	VPMINUB  Y1, Y13, Y3
	VPCMPEQB Y0, Y2, Y2
	VPCMPEQB Y1, Y3, Y3
	PUT(64)
	ADDQ     $64, SI
	ADDQ     $88, DI
	DECQ     CX
	JNZ      next
	VZEROUPPER
	RET

#define EQUAL512(a, constant, field) \
	VPCMPEQB a, constant, K1; \
	KMOVQ    K1, AX;          \
	MOVQ     AX, field(DI)

// func masksAVX512(p *byte, n int, out *masks)
TEXT ·masksAVX512(SB), NOSPLIT, $0-24
	MOVQ         p+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVQ         out+16(FP), DI
	VPBROADCASTB bytes<>+0x00(SB), Z4
	VPBROADCASTB bytes<>+0x01(SB), Z5
	VPBROADCASTB bytes<>+0x02(SB), Z6
	VPBROADCASTB bytes<>+0x03(SB), Z7
	VPBROADCASTB bytes<>+0x04(SB), Z8
	VPBROADCASTB bytes<>+0x05(SB), Z9
	VPBROADCASTB bytes<>+0x06(SB), Z10
	VPBROADCASTB bytes<>+0x07(SB), Z11
	VPBROADCASTB bytes<>+0x08(SB), Z12
	VPBROADCASTB bytes<>+0x09(SB), Z13
	VPBROADCASTB bytes<>+0x0a(SB), Z14
	VMOVDQU64    spaces<>(SB), Z15

next:
	VMOVDQU64 (SI), Z0
	EQUAL512(Z0, Z4, 0)
	EQUAL512(Z0, Z5, 8)
	VPMINUB   Z0, Z6, Z2
	EQUAL512(Z0, Z2, 16)
	VPSHUFB   Z0, Z15, Z2
	EQUAL512(Z0, Z2, 24)
	EQUAL512(Z0, Z7, 32)
	EQUAL512(Z0, Z8, 40)
	VPORQ     Z0, Z9, Z2
	EQUAL512(Z2, Z10, 48)
	EQUAL512(Z2, Z11, 56)
	EQUAL512(Z0, Z12, 72)
	EQUAL512(Z0, Z14, 80)
	VPSUBB    Z12, Z0, Z0
	VPMINUB   Z0, Z13, Z2
	EQUAL512(Z0, Z2, 64)
	ADDQ      $64, SI
	ADDQ      $88, DI
	DECQ      CX
	JNZ       next
	VZEROUPPER
	RET
