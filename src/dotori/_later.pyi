from dotori.functions import aliases, arithmetic, filling, products, sampling
from dotori.functions import complex as numbers

class Later:
    # a family a paragraph, in the order of `dotori.functions._lazy`

    absolute = aliases.absolute
    arccos = aliases.arccos
    arccosh = aliases.arccosh
    arcsin = aliases.arcsin
    arcsinh = aliases.arcsinh
    arctan = aliases.arctan
    arctan2 = aliases.arctan2
    arctanh = aliases.arctanh
    degrees = aliases.degrees
    divide = aliases.divide
    expand_dims = aliases.expand_dims
    fix = aliases.fix
    greater = aliases.greater
    greater_equal = aliases.greater_equal
    invert = aliases.invert
    left_shift = aliases.left_shift
    less = aliases.less
    less_equal = aliases.less_equal
    mod = aliases.mod
    moveaxis = aliases.moveaxis
    multiply = aliases.multiply
    negative = aliases.negative
    not_equal = aliases.not_equal
    power = aliases.power
    radians = aliases.radians
    right_shift = aliases.right_shift
    rint = aliases.rint
    subtract = aliases.subtract
    swapdims = aliases.swapdims
    true_divide = aliases.true_divide

    addcdiv = arithmetic.addcdiv
    addcmul = arithmetic.addcmul
    bitwise_left_shift = arithmetic.bitwise_left_shift
    bitwise_right_shift = arithmetic.bitwise_right_shift
    clamp_max = arithmetic.clamp_max
    clamp_min = arithmetic.clamp_min
    copysign = arithmetic.copysign
    deg2rad = arithmetic.deg2rad
    float_power = arithmetic.float_power
    fmax = arithmetic.fmax
    fmin = arithmetic.fmin
    frexp = arithmetic.frexp
    gcd = arithmetic.gcd
    heaviside = arithmetic.heaviside
    isneginf = arithmetic.isneginf
    isposinf = arithmetic.isposinf
    lcm = arithmetic.lcm
    ldexp = arithmetic.ldexp
    logaddexp2 = arithmetic.logaddexp2
    nan_to_num = arithmetic.nan_to_num
    nextafter = arithmetic.nextafter
    positive = arithmetic.positive
    rad2deg = arithmetic.rad2deg
    signbit = arithmetic.signbit

    addbmm = products.addbmm
    addmm = products.addmm
    addmv = products.addmv
    addr = products.addr
    baddbmm = products.baddbmm
    bmm = products.bmm
    cross = products.cross
    dot = products.dot
    ger = products.ger
    inner = products.inner
    kron = products.kron
    mm = products.mm
    mv = products.mv
    outer = products.outer
    trace = products.trace
    vdot = products.vdot

    angle = numbers.angle
    conj = numbers.conj
    conj_physical = numbers.conj_physical
    is_complex = numbers.is_complex
    is_conj = numbers.is_conj
    is_neg = numbers.is_neg
    isreal = numbers.isreal
    resolve_conj = numbers.resolve_conj
    resolve_neg = numbers.resolve_neg
    sgn = numbers.sgn

    bernoulli = sampling.bernoulli
    multinomial = sampling.multinomial

    bernoulli_ = filling.bernoulli_
    cauchy_ = filling.cauchy_
    exponential_ = filling.exponential_
    geometric_ = filling.geometric_
    log_normal_ = filling.log_normal_
    normal_ = filling.normal_
    random_ = filling.random_
    uniform_ = filling.uniform_
